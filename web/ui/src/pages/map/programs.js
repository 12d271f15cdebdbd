// SPDX-License-Identifier: ISC
// How nodes and links are drawn by the graphics card.  Shape and dash say
// what colour says, for those who do not see the colour.
import { EdgeProgram, NodeProgram } from "sigma/rendering";
import { floatColor } from "sigma/utils";

export const SHAPES = { circle: 0, square: 1, diamond: 2, hollow: 3 };
export const DASHES = { solid: 0, dashed: 1, dotted: 2 };

const { FLOAT, UNSIGNED_BYTE, TRIANGLES } = WebGLRenderingContext;
const float = (name, size = 1) => ({ name, size, type: FLOAT });
const bytes = (name) => ({ name, size: 4, type: UNSIGNED_BYTE,
	normalized: true });

const NODE_VERTEX = `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec4 a_border;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec4 v_border;
varying vec2 v_point;
varying float v_pixel;
varying float v_shape;
void main() {
	// a triangle around the circle of the node's size; v_point is in radii
	float size = a_size * u_correctionRatio / u_sizeRatio * 4.0;
	vec2 corner = vec2(cos(a_angle), sin(a_angle));
	gl_Position = vec4((u_matrix * vec3(a_position + size * corner, 1)).xy,
		0, 1);
	v_point = 2.0 * corner;
	v_pixel = u_sizeRatio / a_size;
	v_shape = a_shape;
	v_border = a_border;
	#ifdef PICKING_MODE
	v_color = a_id;
	#else
	v_color = a_color;
	#endif
	v_color.a *= 255.0 / 254.0;
	v_border.a *= 255.0 / 254.0;
}`;

const NODE_FRAGMENT = `
precision highp float;
varying vec4 v_color;
varying vec4 v_border;
varying vec2 v_point;
varying float v_pixel;
varying float v_shape;
const vec4 clear = vec4(0.0);
float distanceTo(vec2 p) {
	if (v_shape < 0.5)
		return length(p) - 0.92;
	if (v_shape < 1.5) {
		vec2 q = abs(p) - vec2(0.56);
		return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - 0.18;
	}
	if (v_shape < 2.5)
		return (abs(p.x) + abs(p.y) - 1.05) * 0.7071;
	return length(p) - 0.92;
}
void main() {
	float d = distanceTo(v_point);
	#ifdef PICKING_MODE
	gl_FragColor = d > 0.1 ? clear : v_color;
	#else
	float width = (v_shape > 2.5 ? 1.6 : 1.8) * v_pixel;
	vec4 inner = mix(v_color, v_border,
		smoothstep(-width - 0.5 * v_pixel, -width + 0.5 * v_pixel, d));
	gl_FragColor = mix(inner, clear,
		smoothstep(-0.5 * v_pixel, 0.5 * v_pixel, d));
	#endif
}`;

export class ShapeProgram extends NodeProgram {
	getDefinition() {
		return {
			VERTICES: 3, METHOD: TRIANGLES,
			VERTEX_SHADER_SOURCE: NODE_VERTEX,
			FRAGMENT_SHADER_SOURCE: NODE_FRAGMENT,
			UNIFORMS: ["u_sizeRatio", "u_correctionRatio", "u_matrix"],
			ATTRIBUTES: [float("a_position", 2), float("a_size"),
				float("a_shape"), bytes("a_color"), bytes("a_border"),
				bytes("a_id")],
			CONSTANT_ATTRIBUTES: [float("a_angle")],
			CONSTANT_DATA: [[0], [2 * Math.PI / 3], [4 * Math.PI / 3]],
		};
	}

	processVisibleItem(index, at, node) {
		this.array.set([node.x, node.y, node.size, node.shape ?? 0,
			floatColor(node.color), floatColor(node.border ?? node.color),
			index], at);
	}

	setUniforms(params, { gl, uniformLocations: u }) {
		gl.uniform1f(u.u_correctionRatio, params.correctionRatio);
		gl.uniform1f(u.u_sizeRatio, params.sizeRatio);
		gl.uniformMatrix3fv(u.u_matrix, false, params.matrix);
	}
}

const EDGE_VERTEX = `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_normal;
attribute vec2 a_start;
attribute vec2 a_end;
attribute float a_dash;
attribute float a_side;
attribute float a_normalCoef;
attribute float a_positionCoef;
uniform mat3 u_matrix;
uniform vec2 u_dimensions;
uniform float u_sizeRatio;
uniform float u_zoomRatio;
uniform float u_pixelRatio;
uniform float u_correctionRatio;
uniform float u_feather;
varying vec4 v_color;
varying vec2 v_normal;
varying float v_thickness;
varying float v_feather;
varying float v_along;
varying float v_dash;
void main() {
	float width = length(a_normal);
	vec2 unit = a_normal / width;
	#ifdef PICKING_MODE
	width = max(width, 8.0 * u_sizeRatio); // easy to hit
	#endif
	float scale = u_correctionRatio / u_sizeRatio;
	// a_side moves the two directions of a pair apart, each to its right
	vec2 position = mix(a_start, a_end, a_positionCoef)
		+ unit * (width * a_normalCoef + a_side) * scale;
	gl_Position = vec4((u_matrix * vec3(position, 1)).xy, 0, 1);
	vec2 span = (u_matrix * vec3(a_end, 1)).xy
		- (u_matrix * vec3(a_start, 1)).xy;
	v_along = a_positionCoef * length(span * u_dimensions * 0.5);
	v_dash = a_dash;
	v_thickness = width * scale / u_zoomRatio;
	v_normal = unit * a_normalCoef;
	v_feather = u_feather * u_correctionRatio / u_zoomRatio / u_pixelRatio
		* 2.0;
	#ifdef PICKING_MODE
	v_color = a_id;
	#else
	v_color = a_color;
	#endif
	v_color.a *= 255.0 / 254.0;
}`;

const EDGE_FRAGMENT = `
precision highp float;
varying vec4 v_color;
varying vec2 v_normal;
varying float v_thickness;
varying float v_feather;
varying float v_along;
varying float v_dash;
const vec4 clear = vec4(0.0);
void main() {
	#ifdef PICKING_MODE
	gl_FragColor = v_color;
	#else
	float dist = length(v_normal) * v_thickness;
	float t = smoothstep(v_thickness - v_feather, v_thickness, dist);
	float period = v_dash < 1.5 ? 13.0 : 6.0;
	float filled = v_dash < 1.5 ? 8.5 : 2.2;
	float phase = mod(v_along, period);
	if (v_dash > 0.5)
		t = max(t, smoothstep(filled - 0.6, filled + 0.6, phase));
	gl_FragColor = mix(v_color, clear, t);
	#endif
}`;

export class LinkProgram extends EdgeProgram {
	getDefinition() {
		return {
			VERTICES: 6, METHOD: TRIANGLES,
			VERTEX_SHADER_SOURCE: EDGE_VERTEX,
			FRAGMENT_SHADER_SOURCE: EDGE_FRAGMENT,
			UNIFORMS: ["u_matrix", "u_dimensions", "u_sizeRatio",
				"u_zoomRatio", "u_pixelRatio", "u_correctionRatio",
				"u_feather"],
			ATTRIBUTES: [float("a_start", 2), float("a_end", 2),
				float("a_normal", 2), float("a_dash"), float("a_side"),
				bytes("a_color"), bytes("a_id")],
			CONSTANT_ATTRIBUTES: [float("a_positionCoef"),
				float("a_normalCoef")],
			CONSTANT_DATA: [[0, 1], [0, -1], [1, 1], [1, 1], [0, -1],
				[1, -1]],
		};
	}

	processVisibleItem(index, at, source, target, edge) {
		const dx = target.x - source.x, dy = target.y - source.y;
		const length = Math.hypot(dx, dy) || 1;
		const width = edge.size || 1;
		this.array.set([source.x, source.y, target.x, target.y,
			-dy / length * width, dx / length * width, edge.dash ?? 0,
			edge.side ?? 0, floatColor(edge.color), index], at);
	}

	setUniforms(params, { gl, uniformLocations: u }) {
		gl.uniformMatrix3fv(u.u_matrix, false, params.matrix);
		gl.uniform2f(u.u_dimensions, params.width, params.height);
		gl.uniform1f(u.u_zoomRatio, params.zoomRatio);
		gl.uniform1f(u.u_sizeRatio, params.sizeRatio);
		gl.uniform1f(u.u_correctionRatio, params.correctionRatio);
		gl.uniform1f(u.u_pixelRatio, params.pixelRatio);
		gl.uniform1f(u.u_feather, params.antiAliasingFeather);
	}
}

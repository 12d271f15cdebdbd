/* SPDX-License-Identifier: ISC */
#include "collector/detect/alarm-detector.h"

#include <string.h>

const struct alarm_detector *const alarm_detectors[] = {
	&detector_spikes,
	&detector_silence,
	NULL,
};

const struct alarm_detector *alarm_detector_find(const char *name)
{
	for (size_t i = 0; alarm_detectors[i]; i++)
		if (strcmp(alarm_detectors[i]->name, name) == 0)
			return alarm_detectors[i];
	return NULL;
}

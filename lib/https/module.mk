# SPDX-License-Identifier: ISC
lib_SRCS += lib/https/url.c
# Whatever needs libcurl; sonde-agent links none of it.
https_SRCS += lib/https/http.c

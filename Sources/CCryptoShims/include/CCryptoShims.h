// What Swift cannot import of OpenSSL and libipsec-mb: macros, casts, variadic functions.
#pragma once

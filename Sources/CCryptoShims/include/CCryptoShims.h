// What Swift cannot import of OpenSSL and libipsec-mb: macros, casts, variadic functions, callbacks
// that OpenSSL makes, and structs whose alignment Swift does not know.
//
// Everything here is told: memory in, memory out. The decisions are taken in Swift.
#pragma once
#include "certificate.h"
#include "farewell.h"
#include "farewell.h"
#include "hash.h"
#include "srtp.h"
#include "tls.h"
#include "wire.h"

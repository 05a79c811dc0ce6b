#include "CCryptoShims.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

crypto_wire *crypto_wire_new(bool datagrams, size_t limit) {
    crypto_wire *wire = calloc(1, sizeof *wire);
    if (!wire) abort();  // As Swift does when there is no memory.
    wire->datagrams = datagrams;
    wire->limit = limit;
    return wire;
}

void crypto_wire_free(crypto_wire *wire) {
    free(wire->output);
    free(wire);
}

void crypto_wire_shrink(crypto_wire *wire) {
    free(wire->output);
    wire->output = NULL;
    wire->output_count = wire->output_capacity = 0;
}

static bool reserve(crypto_wire *wire, size_t count) {
    size_t needed = wire->output_count + count;
    if (needed > wire->limit) return false;
    if (needed <= wire->output_capacity) return true;
    size_t capacity = wire->output_capacity ? wire->output_capacity * 2 : 2048;
    if (capacity < needed) capacity = needed;
    uint8_t *grown = realloc(wire->output, capacity);
    if (!grown) return false;
    wire->output = grown;
    wire->output_capacity = capacity;
    return true;
}

static int write_wire(BIO *bio, const char *bytes, int count) {
    crypto_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (count <= 0) return 0;
    uint16_t size = (uint16_t)count;
    size_t head = wire->datagrams ? sizeof size : 0;
    if ((wire->datagrams && count > UINT16_MAX) || !reserve(wire, head + (size_t)count)) return -1;
    memcpy(wire->output + wire->output_count, &size, head);
    memcpy(wire->output + wire->output_count + head, bytes, (size_t)count);
    wire->output_count += head + (size_t)count;
    return count;
}

static int read_wire(BIO *bio, char *bytes, int capacity) {
    crypto_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->input_count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = wire->input_count < (size_t)capacity ? wire->input_count : (size_t)capacity;
    memcpy(bytes, wire->input, count);
    // A datagram is read whole, or its end is lost, as with a socket.
    wire->input = wire->datagrams ? NULL : wire->input + count;
    wire->input_count = wire->datagrams ? 0 : wire->input_count - count;
    return (int)count;
}

static long control_wire(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return 48;  // IPv6 and UDP.
    default: return 0;
    }
}

static int create_wire(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory");
    if (!method) abort();
    BIO_meth_set_create(method, create_wire);
    BIO_meth_set_write(method, write_wire);
    BIO_meth_set_read(method, read_wire);
    BIO_meth_set_ctrl(method, control_wire);
}

BIO *crypto_wire_bio(crypto_wire *wire) {
    CRYPTO_THREAD_run_once(&once, make_method);
    BIO *bio = BIO_new(method);
    if (bio) BIO_set_data(bio, wire);
    return bio;
}

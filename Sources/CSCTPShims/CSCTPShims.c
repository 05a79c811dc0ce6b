#include "CSCTPShims.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <usrsctp.h>

// As many as the browsers offer; each costs the association some 100 bytes.
enum { STREAMS = 1024 };
// The library counts an MTU of AF_CONN without SCTP's own header.
enum { HEADER = 12 };
// Timeouts in a row that end an association: 200 ms doubling to 3 s, 54 s in all. ICE decides
// after 30 s that a peer is gone; SCTP has to survive whatever ICE survives.
enum { TIMEOUTS = 20 };

static void *context;
static struct gateway_sctp_events events;
static bool started;

static void *address_of(uint32_t id) { return (void *)(uintptr_t)id; }
static uint32_t id_of(void *address) { return (uint32_t)(uintptr_t)address; }

static int on_packet(void *address, void *bytes, size_t count, uint8_t tos, uint8_t df) {
    (void)tos;
    (void)df;
    events.packet(context, id_of(address), bytes, count);
    return 0;
}

static void on_reset(uint32_t id, const struct sctp_stream_reset_event *event) {
    // Only what the peer reset; what became of our own request comes with other flags.
    if (!(event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)) return;
    if (event->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) return;
    size_t head = offsetof(struct sctp_stream_reset_event, strreset_stream_list);
    if (event->strreset_length < head) return;
    size_t count = (event->strreset_length - head) / sizeof(uint16_t);
    for (size_t i = 0; i < count; i++) events.reset(context, id, event->strreset_stream_list[i]);
}

static void on_notification(uint32_t id, const union sctp_notification *note, size_t count) {
    if (count < sizeof note->sn_header || note->sn_header.sn_length != count) return;
    switch (note->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        if (note->sn_assoc_change.sac_state == SCTP_COMM_UP) events.connected(context, id);
        if (note->sn_assoc_change.sac_state == SCTP_COMM_LOST ||
            note->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP ||
            note->sn_assoc_change.sac_state == SCTP_CANT_STR_ASSOC)
            events.ended(context, id);
        break;
    case SCTP_SHUTDOWN_EVENT: events.ended(context, id); break;
    case SCTP_STREAM_RESET_EVENT: on_reset(id, &note->sn_strreset_event); break;
    default: break;
    }
}

static int on_receive(
    struct socket *socket, union sctp_sockstore address, void *bytes, size_t count,
    struct sctp_rcvinfo info, int flags, void *id) {
    (void)socket;
    (void)address;
    if (!bytes) return 1;
    if (flags & MSG_NOTIFICATION)
        on_notification(id_of(id), bytes, count);
    else
        events.message(
            context, id_of(id), info.rcv_sid, ntohl(info.rcv_ppid), bytes, count,
            (flags & MSG_EOR) != 0);
    free(bytes);
    return 1;
}

bool gateway_sctp_start(void *new_context, struct gateway_sctp_events new_events) {
    if (started) return false;
    started = true;
    context = new_context;
    events = new_events;
    usrsctp_init_nothreads(0, on_packet, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);  // No ABORT to packets that fit nothing.
    // What WebRTC has no use for, a peer shall not reach.
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auto_asconf(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(1);
    usrsctp_sysctl_set_sctp_reconfig_enable(1);
    usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(STREAMS);
    usrsctp_sysctl_set_sctp_rto_initial_default(500);
    usrsctp_sysctl_set_sctp_rto_min_default(200);
    usrsctp_sysctl_set_sctp_rto_max_default(3000);
    usrsctp_sysctl_set_sctp_init_rtx_max_default(TIMEOUTS);
    usrsctp_sysctl_set_sctp_assoc_rtx_max_default(TIMEOUTS);
    // The only path must not give up before the association does. With the default (5) it did
    // in one of 1,500 runs at 20 % loss, and new data then waited for a heartbeat to come back.
    usrsctp_sysctl_set_sctp_path_rtx_max_default(TIMEOUTS);
    return true;
}

void gateway_sctp_tick(uint32_t milliseconds) { usrsctp_handle_timers(milliseconds); }

static bool set(struct socket *socket, int level, int name, const void *value, size_t size) {
    return usrsctp_setsockopt(socket, level, name, value, (socklen_t)size) == 0;
}

static bool subscribe(struct socket *socket, uint16_t type) {
    struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = type, .se_on = 1};
    return set(socket, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
}

static bool configure(struct socket *socket, uint32_t message_size) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};  // Closing sends an ABORT at once.
    struct sctp_assoc_value resets = {
        .assoc_id = SCTP_ALL_ASSOC,
        .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ};
    struct sctp_initmsg init = {.sinit_num_ostreams = STREAMS, .sinit_max_instreams = STREAMS};
    int on = 1, buffer = (int)message_size * 2;
    // A message is handed over whole, or (beyond this size, so that it is refused) in parts.
    uint32_t whole = message_size + 1;
    return usrsctp_set_non_blocking(socket, 1) == 0 &&
           set(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) &&
           set(socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) &&
           set(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) &&
           set(socket, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &whole, sizeof whole) &&
           set(socket, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets) &&
           set(socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) &&
           set(socket, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) &&
           subscribe(socket, SCTP_ASSOC_CHANGE) && subscribe(socket, SCTP_SHUTDOWN_EVENT) &&
           subscribe(socket, SCTP_STREAM_RESET_EVENT);
}

static bool connect_both(struct socket *socket, void *address, uint16_t port, uint32_t size) {
    struct sockaddr_conn end = {
        .sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = address};
    if (usrsctp_bind(socket, (struct sockaddr *)&end, sizeof end) != 0) return false;
    if (usrsctp_connect(socket, (struct sockaddr *)&end, sizeof end) != 0 &&
        errno != EINPROGRESS)
        return false;
    // No heartbeats: ICE asks whether the peer is there, and an idle association needs no timer.
    struct sctp_paddrparams path = {
        .spp_assoc_id = SCTP_ALL_ASSOC,
        .spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE,
        .spp_pathmtu = size - HEADER};
    memcpy(&path.spp_address, &end, sizeof end);
    return set(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

void *gateway_sctp_open(uint32_t id, uint16_t port, uint32_t packet_size, uint32_t message_size) {
    void *address = address_of(id);
    struct socket *socket =
        usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, address);
    if (!socket) return NULL;
    usrsctp_register_address(address);
    if (configure(socket, message_size) && connect_both(socket, address, port, packet_size))
        return socket;
    gateway_sctp_close(socket, id);
    return NULL;
}

void gateway_sctp_input(uint32_t id, const void *bytes, size_t count) {
    usrsctp_conninput(address_of(id), bytes, count, 0);
}

int gateway_sctp_send(
    void *association, uint16_t stream, uint32_t payload, bool unordered, int reliability,
    uint32_t reliability_value, const void *bytes, size_t count) {
    struct sctp_sendv_spa info = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};
    info.sendv_sndinfo.snd_sid = stream;
    info.sendv_sndinfo.snd_ppid = htonl(payload);
    info.sendv_sndinfo.snd_flags = unordered ? SCTP_UNORDERED : 0;
    if (reliability != GATEWAY_SCTP_RELIABLE) {
        info.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        info.sendv_prinfo.pr_policy =
            reliability == GATEWAY_SCTP_RETRANSMITS ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
        info.sendv_prinfo.pr_value = reliability_value;
    }
    ssize_t sent = usrsctp_sendv(
        association, bytes, count, NULL, 0, &info, sizeof info, SCTP_SENDV_SPA, 0);
    if (sent >= 0) return GATEWAY_SCTP_TAKEN;
    return errno == EWOULDBLOCK ? GATEWAY_SCTP_AGAIN : GATEWAY_SCTP_REFUSED;
}

bool gateway_sctp_reset(void *association, uint16_t stream) {
    // A library of this version that gets the request before the data it follows answers "in
    // progress", and looks again only when data comes that is newer than all it waited for: the
    // request is repeated until the association ends. So everything has to be there first.
    struct sctp_status status = {.sstat_assoc_id = SCTP_ALL_ASSOC};
    socklen_t size = sizeof status;
    if (usrsctp_getsockopt(association, IPPROTO_SCTP, SCTP_STATUS, &status, &size) != 0)
        return true;
    if (status.sstat_unackdata != 0 || status.sstat_penddata != 0) return false;
    char memory[sizeof(struct sctp_reset_streams) + sizeof(uint16_t)] = {0};
    struct sctp_reset_streams request = {
        .srs_assoc_id = SCTP_ALL_ASSOC,
        .srs_flags = SCTP_STREAM_RESET_OUTGOING,
        .srs_number_streams = 1};
    memcpy(memory, &request, sizeof request);
    memcpy(memory + offsetof(struct sctp_reset_streams, srs_stream_list), &stream, sizeof stream);
    // The library remembers the request while another one is under way; it can only fail when
    // there is no such stream, and then there is nothing to reset.
    set(association, IPPROTO_SCTP, SCTP_RESET_STREAMS, memory, sizeof memory);
    return true;
}

void gateway_sctp_close(void *association, uint32_t id) {
    usrsctp_close(association);
    usrsctp_deregister_address(address_of(id));
}

/*
 * liaison link stdio: joins stdin and stdout to the daemon's link.sock, until either side ends. It is what the other
 * office's `exec:ssh host liaison link stdio` runs here; it sees sealed bytes only.
 */
#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/office.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static const struct usage usage = {
    .command = "liaison link stdio",
    .synopsis = "",
    .help = "Joins stdin and stdout to this office's daemon as a link: the far end of an address like\n"
            "\"exec:ssh host liaison link stdio\".\n",
};

/* One direction: bytes read and not yet written. */
struct flow {
    int from, to;
    size_t start, end;
    uint8_t bytes[65536];
    bool ended;
};

/* Waits until one of the flows can go on. A flow with bytes waits for its target, an empty one for its source. */
static int wait_for(const struct flow *flows, struct pollfd *polled)
{
    for (int i = 0; i < 2; i++) {
        bool full = flows[i].start < flows[i].end;

        polled[i] = (struct pollfd){.fd = full ? flows[i].to : flows[i].from, .events = full ? POLLOUT : POLLIN};
    }
    return poll(polled, 2, -1) < 0 && errno != EINTR ? -1 : 0;
}

static void move(struct flow *flow)
{
    ssize_t size = 0;

    if (flow->start == flow->end) {
        size = read(flow->from, flow->bytes, sizeof flow->bytes);
        flow->start = 0;
        flow->end = size > 0 ? (size_t)size : 0;
    } else {
        size = write(flow->to, flow->bytes + flow->start, flow->end - flow->start);
        flow->start += size > 0 ? (size_t)size : 0;
    }
    flow->ended = size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN);
}

static void splice_flows(struct flow *flows)
{
    struct pollfd polled[2];

    while (!flows[0].ended && !flows[1].ended) {
        if (wait_for(flows, polled) != 0)
            return;
        for (int i = 0; i < 2; i++)
            if (polled[i].revents != 0)
                move(&flows[i]);
    }
}

enum exit_code command_link_stdio(struct cli *cli, int argc, char **argv)
{
    struct flow flows[2] = {0};
    struct daemon daemon = {.socket = -1};
    struct office office;
    struct error error = {0};
    char path[PATH_MAX];

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    if (office_find(&office, cli->office, &error) != 0 ||
        office_path(&office, "link.sock", path, sizeof path, &error) != 0)
        return output_error(cli, output_exit_of(&error), &error);
    if (daemon_open_path(&daemon, path, &error) != 0) {
        daemon_close(&daemon);
        return output_failure(cli, EXIT_NO_DAEMON, "no-daemon", "no daemon answers for the office in %s (%s): %s",
                              office.directory, office.looked, error.message);
    }
    flows[0].from = STDIN_FILENO;
    flows[0].to = flows[1].from = daemon.socket;
    flows[1].to = STDOUT_FILENO;
    splice_flows(flows);
    daemon_close(&daemon);
    return EXIT_DONE;
}

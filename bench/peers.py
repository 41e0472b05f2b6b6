"""mosquitto and nats-server beside liaison: what runs, how durable it is, and what the figures mean."""

import json
import shutil
import socket
import subprocess
import time

MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
log_type error
"""

NATS = """listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{directory}" }}
"""

# name, package, protocol, window (mosquitto's own bound), messages, what to know
PEERS = [
    ("mosquitto", "mosquitto", "mqtt", 20, 2000,
     "QoS 2, to a subscriber; the whole database is written and synced anew after a change, acknowledgements may go first"),
    ("nats-server", "nats-server", "nats", 256, 100000,
     "JetStream in a file; acknowledged before it is synced (2.9 cannot otherwise), and nobody else has the message"),
]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"bench: nothing listens on port {port}")


def start(name, directory, port):
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if program is None:
        return None
    directory.mkdir(parents=True)
    directory.chmod(0o777)  # mosquitto gives up root
    configuration = directory / "configuration"
    configuration.write_text((MOSQUITTO if name == "mosquitto" else NATS).format(port=port, directory=directory))
    server = subprocess.Popen([program, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    return server


def measure(program, protocol, port, window, count):
    return json.loads(subprocess.run([program, protocol, str(port), str(window), str(count)], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)


def measure_peer(program, directory, peer, samples):
    name, package, protocol, window, count, words = peer
    port = free_port()
    server = start(name, directory / name, port)
    if server is None:
        print(f"SKIP {name}: it is not installed (apt-get install {package})")
        return None
    try:
        latencies = sorted(measure(program, protocol, port, 1, samples)["latency_us"])
        rate = measure(program, protocol, port, window, count)["messages_per_s"]
    finally:
        server.terminate()
        server.wait()
    result = {"p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100],
              "messages_per_s": rate}
    print(f"{name:<28}{result['p50']:>9.0f} µs{result['p99']:>9.0f} µs{rate:>12,.0f} / s   {words}")
    return result


def measure_all(program, directory, samples):
    print(f"\n{'beside it':<28}{'p50':>12}{'p99':>12}{'messages':>14}")
    return {peer[0]: measure_peer(program, directory, peer, samples) for peer in PEERS}

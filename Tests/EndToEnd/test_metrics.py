# SPDX-License-Identifier: Apache-2.0
"""Prometheus text, judged by the parser of prometheus_client, against what the host says of itself in JSON."""

import http.client
import json
import math
import os
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.host import client
from harness.network import free_port
from harness.site import meter_device


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def scrape(host):
    """Answer of the Unix socket: content type and text."""
    connection = OverSocket(host.socket)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.getheader("content-type"), answer.read().decode()
    finally:
        connection.close()


def parse(text):
    """{(name, labels): value}; fails where a series stands twice or a metric lacks its help or type."""
    series = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type != "unknown", family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in series, key
            assert math.isfinite(sample.value)
            series[key] = sample.value
    return series


def value(series, name, **labels):
    return series[(name, frozenset(labels.items()))]


@pytest.fixture
def gateway(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=1234.5, poll="500ms")
    port = free_port()
    started = host(
        devices=[device, {"id": "met_gone", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}"}],
        management={"metrics": {"listen": f"127.0.0.1:{port}"}},
    )
    started.port = port
    started.peer = peer
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] >= 4)
    subscriber.wait_status("met_gone", lambda content: content["state"] == "offline")
    return started


def test_metrics_agree_with_the_status(gateway):
    kind, text = scrape(gateway)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert text.endswith("\n")
    series = parse(text)
    status, devices, links = gateway.json("status"), gateway.json("devices"), gateway.json("links")

    assert value(series, "busbar_build_info", version=status["version"], gateway="gw-test", role="gateway") == 1
    assert value(series, "busbar_uplink_connected") == 1
    # Counters go on between the two questions.
    for name in ("published", "acknowledged"):
        before = value(series, f"busbar_uplink_{name}_total")
        assert 0 < before <= status["uplink"][name] <= before + 100
    assert value(series, "busbar_uplink_reconnects_total") == status["uplink"]["reconnects"] == 0
    assert value(series, "busbar_buffer_limit_bytes") == status["buffer"]["size"]
    assert value(series, "busbar_buffer_dropped_total") == status["buffer"]["dropped"] == 0
    assert value(series, "busbar_plugin_state", plugin="org.busbar.modbus", version=status["plugins"][0]["version"],
                 file="libBusbarModbus.so", state="loaded") == 1
    for result, count in status["commands"].items():
        assert value(series, "busbar_commands_total", result=result) == count == 0

    grid, gone = devices if devices[0]["id"] == "met_grid" else devices[::-1]
    link = {d["id"]: d["link"] for d in devices}
    for device, up in ((grid, 1), (gone, 0)):
        name = device["id"]
        assert value(series, "busbar_device_up", device=name, link=link[name], adapter="modbus", type="meter") == up
    polls = value(series, "busbar_polls_total", device="met_grid")
    assert 3 <= polls <= grid["quality"]["polls"] <= polls + 60
    assert value(series, "busbar_poll_duration_seconds_count", device="met_grid") == polls
    assert 0 < value(series, "busbar_poll_duration_seconds_sum", device="met_grid") < 60
    assert value(series, "busbar_samples_total", device="met_grid") >= polls
    failures = value(series, "busbar_errors_total", **{"device": "met_gone", "class": "refused"})
    assert 1 <= failures <= gone["quality"]["errors"]["refused"]
    assert value(series, "busbar_polls_missed_total", device="met_grid") <= grid["quality"]["missed"]
    for entry in links:
        assert value(series, "busbar_link_reconnects_total", link=entry["id"]) == entry["reconnects"] == 0
    assert not any(name == "busbar_point_value" for name, _ in series)


def test_process_metrics_are_those_of_the_process(gateway):
    series = parse(scrape(gateway)[1])
    pages = int(open(f"/proc/{gateway.pid}/statm").read().split()[1])
    resident = pages * os.sysconf("SC_PAGE_SIZE")
    assert abs(value(series, "process_resident_memory_bytes") - resident) < resident / 2
    assert abs(value(series, "process_open_fds") - len(os.listdir(f"/proc/{gateway.pid}/fd"))) <= 4
    assert 0 < value(series, "process_cpu_seconds_total") < 600
    fields = open(f"/proc/{gateway.pid}/stat").read().rsplit(")", 1)[1].split()
    boot = int(next(line.split()[1] for line in open("/proc/stat") if line.startswith("btime")))
    assert abs(value(series, "process_start_time_seconds") - boot - int(fields[19]) / os.sysconf("SC_CLK_TCK")) < 5


def test_the_port_answers_metrics_and_health_alone(gateway):
    def get(path, **options):
        request = urllib.request.Request(f"http://127.0.0.1:{gateway.port}{path}", **options)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    assert value(parse(get("/metrics")), "busbar_uplink_connected") == 1
    assert get("/healthz") == "ok\n"
    for path, options in (
        ("/api/v1/status", {}), ("/api/v1/reload", {"method": "POST"}), ("/", {}), ("/metrics", {"method": "POST"}),
        ("/metrics/../api/v1/status", {}), ("/api/v1/devices/met_grid/commands", {"data": b"{}"}),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(path, **options)
        assert refused.value.code in (400, 404), path
        assert "met_grid" not in refused.value.read().decode()


def test_scrapes_do_not_disturb_polling(gateway):
    missed = gateway.json("links")
    for _ in range(50):
        parse(scrape(gateway)[1])
    assert [link["missed"] for link in gateway.json("links")] == [link["missed"] for link in missed]


def test_commands_are_counted(gateway):
    gateway.cli("command", "met_grid", "power_limit=1", check=False)
    series = parse(scrape(gateway)[1])
    status = gateway.json("status")["commands"]
    assert value(series, "busbar_commands_total", result="refused") == status["refused"] == 1


def test_values_of_points_where_wanted(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=1234.5)
    started = host(devices=[device], management={"metrics": {"points": True}})
    subscriber.wait_telemetry("met_grid")
    series = parse(scrape(started)[1])
    assert value(series, "busbar_point_value", device="met_grid", point="power", unit="W") == 1234.5
    assert value(series, "busbar_point_value", device="met_grid", point="energy_import", unit="Wh") == 5678250


def test_a_port_that_is_taken_does_not_stop_the_host(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        started = host(devices=[device], management={"metrics": {"listen": f"127.0.0.1:{taken.getsockname()[1]}"}})
        started.wait_log(lambda line: "metrics cannot be served" in line)
        subscriber.wait_telemetry("met_grid")
        parse(scrape(started)[1])
        started.stop()


def test_a_port_that_is_taken_is_an_alarm_until_it_is_free(host, subscriber):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = "127.0.0.1:%d" % taken.getsockname()[1]
        started = host(management={"metrics": {"listen": listen}})
        alarm = subscriber.wait_for(
            lambda m: m.topic == "gateways/gw-test/status" and m.json["alarms"], 30, what="the alarm").json["alarms"][0]
        assert alarm["name"] == "MetricsFault" and listen in alarm["text"], alarm
        assert f"metrics cannot be served on {listen}: " in started.cli("status").stdout
        position = subscriber.mark()
    subscriber.wait_for(lambda m: m.topic == "gateways/gw-test/status" and not m.json["alarms"], 30, since=position, what="its end")


def test_an_open_port_is_warned_of(directory):
    file = directory / "busbar.yaml"
    for listen, warned in (("0.0.0.0:9464", True), ("[::]:9464", True), ("127.0.0.1:9464", False), ("[::1]:9464", False)):
        file.write_text(json.dumps({"host": {"id": "a"}, "management": {"metrics": {"listen": listen}}}))
        result = client("check-config", "--config", file)
        assert ("no login" in result.stderr) == warned, listen
    file.write_text(json.dumps({"host": {"id": "a"}, "management": {"metrics": {"lisen": "x", "points": 3}}}))
    result = client("check-config", "--config", file, check=False)
    assert result.returncode == 2 and "lisen" in result.stderr and "points" in result.stderr

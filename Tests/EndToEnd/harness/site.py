# SPDX-License-Identifier: Apache-2.0
"""Register tables of the five known kinds of device, and how the host is told about each."""

from .registers import f32, i16, i32, text, u16, u32, u64


def words(entries):
    """JSON has text keys, and the peer wants lists."""
    return {str(address): list(values) for address, values in entries.items()}


def meter(power=1234.5, imported=5678.25, exported=12.5):
    """Eastron SDM630. `imported` and `exported` in kWh, as the meter has them."""
    values = {
        0x00: f32(230.5), 0x02: f32(231.25), 0x04: f32(229.75),
        0x06: f32(1.5), 0x08: f32(2.5), 0x0A: f32(3.5),
        0x0C: f32(power / 2), 0x0E: f32(power / 4), 0x10: f32(power / 4),
        0x34: f32(power), 0x46: f32(50.0), 0x48: f32(imported), 0x4A: f32(exported),
    }
    return {"input": words(values)}


def inverter(power=4210, total=12345678, serial=3001234567):
    """SMA Sunny Tripower, unit 3."""
    values = {
        30057: u32(serial), 30201: u32(307), 30231: u32(10000), 30513: u64(total), 30517: u64(15000),
        30529: u32(total), 30535: u32(15000),
        30769: i32(5123), 30771: i32(61250), 30773: i32(3138), 30775: i32(power),
        30777: i32(1403), 30779: i32(1403), 30781: i32(1404),
        30783: u32(23050), 30785: u32(23110), 30787: u32(22990), 30803: u32(5001), 30953: i32(421),
        40029: u32(295), 40016: i16(100),
    }
    return {"holding": words(values), "input": words(values)}


def hybrid(generation=6000, battery=1500, soc=63.5, grid=-800, serial="HV2140123456"):
    """Huawei SUN2000 with LUNA2000 and meter, unit 1, in the maker's signs: `battery` > 0 charges, the register of the
    meter is > 0 when exporting. `grid` is given as Busbar shows it, > 0 imports."""
    values = {
        30000: text("SUN2000-10KTL-M1", 15), 30015: text(serial, 10), 30035: text("V100R001C00", 15),
        30070: u16(424), 30071: u16(2), 30072: u16(2), 30073: u32(10000), 30075: u32(11000),
        32016: i16(6100), 32017: i16(500), 32018: i16(6000), 32019: i16(490),
        32064: i32(generation), 32069: u16(2305), 32070: u16(2310), 32071: u16(2299),
        32072: i32(6500), 32074: i32(6500), 32076: i32(6500), 32080: i32(generation - battery), 32082: i32(0),
        32084: i16(1000), 32085: u16(5001), 32087: i16(415), 32089: u16(512), 32106: u32(1234567), 32114: u32(2050),
        37000: u16(2), 37001: i32(battery), 37004: u16(round(soc * 10)),
        37100: u16(1), 37101: i32(2305), 37103: i32(2310), 37105: i32(2299),
        37113: i32(-grid), 37119: i32(512300), 37121: i32(98700),
        37758: u32(10000), 37760: u16(round(soc * 10)), 37762: u16(2), 37763: u16(3800), 37764: i16(39),
        37765: i32(battery), 37780: u32(150000), 37782: u32(140000), 37046: u32(5000), 37048: u32(5000),
        40125: i16(1000), 47075: u32(5000), 47077: u32(5000), 47082: u16(50), 47100: u16(0),
    }
    return {"holding": words(values)}


def wallbox(state=3, power_mw=7360000, serial=22104567):
    """KEBA P40, unit 255. Pair it with WALLBOX_MIRROR: the limit that is written shows in the limit that is read."""
    values = {
        1000: u32(state), 1004: u32(7), 1006: u32(0), 1008: u32(16000), 1010: u32(16000), 1012: u32(0),
        1014: u32(serial), 1016: u32(4000000), 1018: u32(10204), 1020: u32(power_mw), 1036: u32(123456780),
        1040: u32(230), 1042: u32(231), 1044: u32(229), 1046: u32(990), 1100: u32(16000), 1110: u32(32000),
        1200: u32(0), 1500: u32(0), 1502: u32(54320), 1550: u32(3), 1552: u32(3), 1600: u32(6000), 1602: u32(60),
        5004: u16(16000), 5010: u16(0), 5012: u16(0), 5014: u16(1), 5016: u16(6000), 5018: u16(60), 5050: u16(3),
        5052: u16(1), 5200: u16(0),
    }
    return {"holding": words(values)}


WALLBOX_MIRROR = [[5004, 1100, 2]]


def heat_pump(flow=35.5, outdoor=-7.5, dhw=48.2):
    """Stiebel Eltron ISG, unit 1, WPM3i."""
    inputs = {
        506: i16(round(outdoor * 10)), 512: i16(round(flow * 10)), 513: i16(round(flow * 10)), 514: i16(round(flow * 10)),
        515: i16(300), 517: i16(340), 518: i16(350), 521: i16(round(dhw * 10)), 522: i16(500),
        2500: u16(0), 2501: u16(0),
        3500: u16(12), 3501: u16(345), 3502: u16(6), 3503: u16(3), 3504: u16(210), 3505: u16(1),
        3510: u16(4), 3511: u16(100), 3512: u16(2), 3513: u16(1), 3514: u16(70), 3515: u16(0),
        5000: u16(2), 5001: u16(391),
    }
    holding = {1500: u16(2), 1509: i16(500), 1510: i16(450), 4000: u16(1), 4001: u16(0), 4002: u16(0)}
    return {"input": words(inputs), "holding": words(holding)}


def meter_device(modbus_device, name="met_grid", *, poll="1s", **values):
    """A meter that answers, and its entry under `devices`."""
    peer = modbus_device({1: meter(**values)}, fill=True)
    return peer, {"id": name, "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": poll}

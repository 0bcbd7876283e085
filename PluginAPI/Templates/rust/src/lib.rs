// SPDX-License-Identifier: Apache-2.0
//! A complete plugin in Rust: a small load that speaks one line at a time, over TCP or a serial line.
//!
//!   R\n         → <watts> <watt-hours> <state>\n      state: on, off, fault
//!   I\n         → <model> <serial> <firmware>\n
//!   L\n         → <limit in watts>\n
//!   W <limit>\n → OK\n or NO\n
//!
//! Read it from the bottom up: the entry and the tables are last, and everything else is reached from there.

mod abi;

use abi::*;
use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

manifest!("manifest.json");

const POWER: usize = 0;
const ENERGY: usize = 1;
const STATE: usize = 2;
const LIMIT: usize = 3;
const STATE_WORDS: [&str; 3] = ["off", "on", "fault"]; // by index, as in the detail of `state` below

/// One connection. The calls of a link come one at a time, so nothing here needs a lock.
struct Line {
    link: u32,
    fd: i32,
    stream: &'static StreamService,
    diagnostics: Option<&'static DiagnosticsService>, // the manifest does not require it
    has_device: bool,
    late: bool, // an answer may still be under way
}

/// The device behind it.
struct Meter {
    number: u32,
    id: [u32; 4],
    factor: f64, // watts for each of the meter's own units
    rated: f64,  // W
    identified: bool,
}

impl Line {
    fn open(call: Call, config: &LinkConfig) -> Answer<Line> {
        let needed = "this host offers no busbar.stream/1";
        let stream: &StreamService =
            call.service("busbar.stream/1").ok_or_else(|| Failure::new(CLASS_CONFIG, needed))?;
        let mut info =
            StreamInfo { size: size_of::<StreamInfo>() as u32, fd: -1, kind: 0, baud: 0, bits_a_byte: 0, reserved: 0 };
        // TCP or serial: the person chose, the plugin need not know.
        let open = stream.open.ok_or_else(|| Failure::new(CLASS_CONFIG, needed))?;
        check(unsafe { open(call.host, call.raw, config.link, lent("device"), &mut info) })?;
        let diagnostics = call.service("busbar.diagnostics/1");
        Ok(Line { link: config.link, fd: info.fd, stream, diagnostics, has_device: false, late: false })
    }

    /// Declares what the device has, and checks settings against each other. The host has checked each one by the manifest.
    fn add(&mut self, call: Call, config: &DeviceConfig) -> Answer<Meter> {
        if self.has_device {
            return Err(Failure::new(CLASS_CONFIG, "this connection has its one line meter already"));
        }
        let settings = config.device_config;
        let missing = || Failure::new(CLASS_CONFIG, "unit, scale, rated_power and safe_limit are needed");
        let unit = call.text(settings, "/unit").ok_or_else(missing)?;
        let scale = call.number(settings, "/scale").ok_or_else(missing)?;
        let rated = call.number(settings, "/rated_power").ok_or_else(missing)?;
        let safe = call.number(settings, "/safe_limit").ok_or_else(missing)?;
        if safe > rated {
            return Err(Failure::new(CLASS_CONFIG, "safe_limit is above rated_power"));
        }
        let detail = format!("{{\"safe\": {}}}", safe);
        let mut limit = point("power_limit", TYPE_F64, KIND_GAUGE, UNIT_W, 1.0);
        limit.detail = lent(&detail);
        limit.flags = POINT_WRITABLE;
        limit.period_ms = 60_000;
        limit.maximum = rated;
        let mut state = point("state", TYPE_ENUM, KIND_STATE, UNIT_NONE, 0.0);
        state.detail = lent("{\"labels\": [\"off\", \"on\", \"fault\"]}");
        let points = [
            point("power", TYPE_F64, KIND_GAUGE, UNIT_W, 0.1),
            point("energy_total", TYPE_F64, KIND_COUNTER, UNIT_WH, 1.0),
            state,
            limit,
        ];
        let id = call.declare(self.link, config.device, &points)?;
        self.has_device = true;
        let factor = scale * if unit == "kW" { 1000.0 } else { 1.0 };
        Ok(Meter { number: config.device, id, factor, rated, identified: false })
    }

    fn poll(&mut self, call: Call, meter: &mut Meter, due: &[u32]) -> Answer<()> {
        let wanted: Vec<usize> = (0..4).filter(|point| due.contains(&meter.id[*point])).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        if !meter.identified {
            self.identify(call, meter)?;
        }
        // What could not be read is sent as bad, never as 0 and never as the old value.
        let mut now = [
            bad(meter.id[POWER], TYPE_F64),
            bad(meter.id[ENERGY], TYPE_F64),
            bad(meter.id[STATE], TYPE_ENUM),
            bad(meter.id[LIMIT], TYPE_F64),
        ];
        let mut good = true;
        let mut answer = String::new();
        if wanted.iter().any(|point| *point != LIMIT) {
            answer = self.ask(call, "R\n")?;
            let fields: Vec<&str> = answer.split_ascii_whitespace().collect();
            good = false;
            if let [watts, watt_hours, word] = fields[..] {
                if let (Some(watts), Some(watt_hours)) = (number(watts), number(watt_hours).filter(|count| *count >= 0.0)) {
                    good = true;
                    set(&mut now[POWER], watts * meter.factor);
                    set(&mut now[ENERGY], watt_hours * meter.factor);
                    if let Some(index) = STATE_WORDS.iter().position(|known| *known == word) {
                        now[STATE].quality = QUALITY_GOOD;
                        now[STATE].value = Value { i64: index as i64 };
                    }
                }
            }
        }
        if wanted.contains(&LIMIT) {
            answer = self.ask(call, "L\n")?;
            match number(&answer) {
                Some(limit) => set(&mut now[LIMIT], limit * meter.factor),
                None => good = false,
            }
        }
        self.late |= !good; // it may have been another question's answer
        self.problem(call, meter, !good, if good { "" } else { &answer });
        let samples: Vec<Sample> = wanted.iter().map(|point| now[*point]).collect();
        call.commit(self.link, &samples)
    }

    /// The host has checked range, lease and permission. The same key twice sets the same limit twice: nothing to remember.
    fn command(&mut self, call: Call, meter: &Meter, command: &Command, outcome: &mut Outcome) -> Answer<()> {
        let value = unsafe {
            match command.type_ {
                TYPE_F64 => Some(command.value.f64),
                TYPE_I64 => Some(command.value.i64 as f64),
                _ => None,
            }
        };
        let allowed = value.filter(|watts| *watts >= 0.0 && *watts <= meter.rated); // refuses NaN too
        let watts = match allowed {
            _ if command.point != meter.id[LIMIT] => return refuse(call, outcome, "only power_limit can be written"),
            None => return refuse(call, outcome, "power_limit is a number of watts from 0 to rated_power"),
            Some(_) if now() > command.valid_until_ns => return refuse(call, outcome, "too late"),
            Some(watts) => watts,
        };
        outcome.outcome = OUTCOME_DONE;
        if command.flags & COMMAND_DRY_RUN != 0 {
            return Ok(()); // checked, and nothing sent
        }
        outcome.outcome = OUTCOME_UNKNOWN; // it may have left: never guess
        match self.ask(call, &format!("W {}\n", watts / meter.factor)).as_deref() {
            Ok("NO") => return refuse(call, outcome, "the meter says no"),
            Ok("OK") => outcome.outcome = OUTCOME_ACCEPTED,
            _ => {
                self.late = true;
                return Ok(());
            }
        }
        match self.ask(call, "L\n").ok().and_then(|answer| number(&answer)) {
            Some(limit) => {
                outcome.outcome = OUTCOME_DONE;
                outcome.type_ = TYPE_F64;
                outcome.value = Value { f64: limit * meter.factor };
            }
            None => self.late = true,
        }
        Ok(())
    }

    /// Reads until the line is silent: the answer to an old question must not be taken for the answer to the next.
    fn drain(&mut self, call: Call) -> Answer<()> {
        while self.late {
            let mut rest = [0; 256];
            let (length, result) = self.exchange(call, "", UNTIL_QUIET, 100, &mut rest);
            match result {
                Err(failure) if failure.reason() != REASON_NO_SPACE => return Err(failure),
                Ok(()) if length < rest.len() => self.late = false,
                _ => {} // the host ends this at the deadline
            }
        }
        Ok(())
    }

    /// One question and its answer, without the newline. An answer that is too long or not text comes back empty.
    fn ask(&mut self, call: Call, question: &str) -> Answer<String> {
        self.drain(call)?;
        self.late = true;
        let mut answer = [0; 64];
        let (length, result) = self.exchange(call, question, UNTIL_BYTE, u32::from(b'\n'), &mut answer);
        match result {
            Err(failure) if failure.reason() == REASON_NO_SPACE => return Ok(String::new()),
            other => other?,
        }
        let all = &answer[..length];
        let end = match all.iter().position(|byte| *byte == b'\n') {
            Some(end) if !all.contains(&0) => end,
            _ => return Ok(String::new()),
        };
        self.late = end + 1 != length; // more than one answer: something old is among it
        Ok(std::str::from_utf8(&all[..end]).unwrap_or("").to_string())
    }

    fn exchange(&self, call: Call, request: &str, mode: u32, until: u32, reply: &mut [u8]) -> (usize, Answer<()>) {
        let mut length = 0;
        let bytes = Bytes { data: request.as_ptr(), length: request.len() as u32, reserved: 0 };
        let status = match self.stream.exchange {
            Some(exchange) => unsafe {
                let (out, capacity) = (reply.as_mut_ptr(), reply.len() as u32);
                exchange(call.host, call.raw, self.fd, bytes, mode, until, out, capacity, &mut length)
            },
            None => fail(CLASS_CONFIG, REASON_PLUGIN),
        };
        ((length as usize).min(reply.len()), check(status))
    }

    /// Who it is. Asked again with the next poll where the answer makes no sense.
    fn identify(&mut self, call: Call, meter: &mut Meter) -> Answer<()> {
        let answer = self.ask(call, "I\n")?;
        let fields: Vec<&str> = answer.split_ascii_whitespace().collect();
        if let ([model, serial, firmware], Some(identify)) = (&fields[..], call.host.identify) {
            let size = size_of::<Identity>() as u32;
            let (model, serial, firmware) = (lent(model), lent(serial), lent(firmware));
            let identity = Identity { size, reserved: 0, vendor: lent("Example"), model, serial, firmware, detail: lent("") };
            meter.identified = true;
            return check(unsafe { identify(call.host, self.link, meter.number, &identity) });
        }
        self.late = true; // it may have been another question's answer
        Ok(())
    }

    fn problem(&self, call: Call, meter: &Meter, active: bool, text: &str) {
        if let Some(problem) = self.diagnostics.and_then(|table| table.problem) {
            unsafe { problem(call.host, self.link, meter.number, lent("GarbledAnswer"), i32::from(active), lent(text)) }
        }
    }
}

fn point(name: &'static str, type_: u16, kind: u16, unit: u16, resolution: f64) -> PointDesc {
    let (name, title, detail) = (lent(name), lent(""), lent(""));
    PointDesc {
        name, title, detail, type_, kind, unit, quantity: 0, flags: 0, period_ms: 0, minimum: 0.0, maximum: 0.0, resolution,
    }
}

fn bad(point: u32, kind: u16) -> Sample {
    let quality = QUALITY_BAD | QUALITY_DECODE;
    Sample { point, kind, quality, time_ns: 0, value: Value { u64: 0 }, code: 0, flags: 0 }
}

fn set(sample: &mut Sample, value: f64) {
    sample.quality = QUALITY_GOOD;
    sample.value = Value { f64: value };
}

/// "12.5" → 12.5. Nothing where the whole text is not one finite number.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn refuse(call: Call, outcome: &mut Outcome, sentence: &str) -> Answer<()> {
    call.explain(sentence);
    outcome.outcome = OUTCOME_REFUSED;
    Ok(())
}

// The tables: what the host calls, turned into the methods above.

unsafe extern "C" fn open(host: *const Host, raw: *const RawCall, config: *const LinkConfig, state: *mut *mut c_void) -> i32 {
    guarded(host, raw, |call| {
        *state = Box::into_raw(Box::new(Line::open(call, &*config)?)).cast();
        Ok(())
    })
}

unsafe extern "C" fn close(_: *const Host, _: *const RawCall, state: *mut c_void) {
    drop(Box::from_raw(state.cast::<Line>()));
}

unsafe extern "C" fn device_add(
    host: *const Host, raw: *const RawCall, state: *mut c_void, config: *const DeviceConfig, device: *mut *mut c_void,
) -> i32 {
    guarded(host, raw, |call| {
        *device = Box::into_raw(Box::new((*state.cast::<Line>()).add(call, &*config)?)).cast();
        Ok(())
    })
}

unsafe extern "C" fn device_remove(_: *const Host, _: *const RawCall, state: *mut c_void, _: u32, device: *mut c_void) {
    (*state.cast::<Line>()).has_device = false;
    drop(Box::from_raw(device.cast::<Meter>()));
}

unsafe extern "C" fn poll(
    host: *const Host, raw: *const RawCall, state: *mut c_void, _: u32, device: *mut c_void, due: *const u32, count: u32,
) -> i32 {
    let due = if due.is_null() { &[][..] } else { std::slice::from_raw_parts(due, count as usize) };
    guarded(host, raw, |call| (*state.cast::<Line>()).poll(call, &mut *device.cast(), due))
}

unsafe extern "C" fn command(
    host: *const Host, raw: *const RawCall, state: *mut c_void, _: u32, device: *mut c_void, command: *const Command,
    outcome: *mut Outcome,
) -> i32 {
    guarded(host, raw, |call| (*state.cast::<Line>()).command(call, &*device.cast(), &*command, &mut *outcome))
}

unsafe extern "C" fn get_interface(id: Str) -> *const c_void {
    static COMMANDS: CommandsInterface =
        CommandsInterface { size: size_of::<CommandsInterface>() as u32, reserved: 0, command: Some(command) };
    if view(id) == b"busbar.commands/1" {
        return (&COMMANDS as *const CommandsInterface).cast();
    }
    ptr::null() // the host does without what is not here
}

static ADAPTER: AdapterTable = AdapterTable {
    size: size_of::<AdapterTable>() as u32,
    flags: 0,
    id: lent("line-meter"),
    open: Some(open),
    close: Some(close),
    device_add: Some(device_add),
    device_remove: Some(device_remove),
    poll: Some(poll),
    get_interface: Some(get_interface),
};

struct List([*const AdapterTable; 1]);
unsafe impl Sync for List {}
static ADAPTERS: List = List([&ADAPTER]);

static PLUGIN: Plugin = Plugin {
    size: size_of::<Plugin>() as u32,
    abi: ABI_VERSION,
    id: lent("org.example.line"),
    version: lent("1.0.0"),
    adapters: ADAPTERS.0.as_ptr(),
    adapter_count: 1,
    reserved: 0,
};

/// The one exported function.
///
/// # Safety
/// The host hands over its own table.
#[no_mangle]
pub unsafe extern "C" fn busbar_plugin_v0(host: *const Host) -> *const Plugin {
    if (*host).abi >> 16 == ABI_MAJOR {
        return &PLUGIN;
    }
    ptr::null()
}

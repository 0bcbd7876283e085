// SPDX-License-Identifier: Apache-2.0
//! The C contract 0.1 in Rust, as far as this plugin uses it, and a thin safe layer over it. `Tests/ABI/rust_layout.py` of
//! the Busbar repository compares every record with the C headers. Add what you need the same way: fields in order, no more.
#![allow(dead_code)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

pub const ABI_MAJOR: u32 = 0;
pub const ABI_MINOR: u32 = 1;
pub const ABI_VERSION: u32 = ABI_MAJOR << 16 | ABI_MINOR;

pub const OK: i32 = 0;
pub const CLASS_TRANSIENT: u32 = 1;
pub const CLASS_CONFIG: u32 = 2;
pub const CLASS_BUG: u32 = 7;
pub const REASON_NO_SPACE: u32 = 6;
pub const REASON_PLUGIN: u32 = 1024;

pub const TYPE_F64: u16 = 1;
pub const TYPE_I64: u16 = 2;
pub const TYPE_ENUM: u16 = 5;
pub const KIND_GAUGE: u16 = 1;
pub const KIND_COUNTER: u16 = 2;
pub const KIND_STATE: u16 = 3;
pub const UNIT_NONE: u16 = 1;
pub const UNIT_W: u16 = 2;
pub const UNIT_WH: u16 = 3;
pub const POINT_WRITABLE: u32 = 1;
pub const QUALITY_GOOD: u16 = 0;
pub const QUALITY_BAD: u16 = 0x8000;
pub const QUALITY_DECODE: u16 = 7;

pub const UNTIL_BYTE: u32 = 2;
pub const UNTIL_QUIET: u32 = 4;
pub const COMMAND_DRY_RUN: u32 = 1;
pub const OUTCOME_DONE: u32 = 1;
pub const OUTCOME_ACCEPTED: u32 = 2;
pub const OUTCOME_REFUSED: u32 = 3;
pub const OUTCOME_UNKNOWN: u32 = 4;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub data: *const u8,
    pub length: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const u8,
    pub length: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct RawCall {
    pub size: u32,
    pub flags: u32,
    pub token: u64,
    pub deadline_ns: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Span {
    pub offset: u32,
    pub length: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Value {
    pub f64: f64,
    pub i64: i64,
    pub u64: u64,
    pub span: Span,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sample {
    pub point: u32,
    pub kind: u16, // `type` in C
    pub quality: u16,
    pub time_ns: i64,
    pub value: Value,
    pub code: i32,
    pub flags: u32,
}

#[repr(C)]
pub struct Batch {
    pub size: u32,
    pub flags: u32,
    pub samples: *mut Sample,
    pub arena: *mut u8,
    pub capacity: u32,
    pub count: u32,
    pub arena_capacity: u32,
    pub arena_used: u32,
    pub token: u64,
}

#[repr(C)]
pub struct PointDesc {
    pub name: Str,
    pub title: Str,
    pub detail: Str,
    pub type_: u16,
    pub kind: u16,
    pub unit: u16,
    pub quantity: u16,
    pub flags: u32,
    pub period_ms: u32,
    pub minimum: f64,
    pub maximum: f64,
    pub resolution: f64,
}

#[repr(C)]
pub struct Identity {
    pub size: u32,
    pub reserved: u32,
    pub vendor: Str,
    pub model: Str,
    pub serial: Str,
    pub firmware: Str,
    pub detail: Str,
}

#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi: u32,
    pub context: *mut c_void,
    pub get_service: Option<unsafe extern "C" fn(*const Host, Str) -> *const c_void>,
    pub log: Option<unsafe extern "C" fn(*const Host, u32, i32, Str)>,
    pub explain: Option<unsafe extern "C" fn(*const Host, *const RawCall, Str)>,
    pub cancelled: Option<unsafe extern "C" fn(*const Host, *const RawCall) -> i32>,
    pub declare_points: Option<unsafe extern "C" fn(*const Host, u32, u32, *const PointDesc, u32, u32, *mut u32) -> i32>,
    pub identify: Option<unsafe extern "C" fn(*const Host, u32, u32, *const Identity) -> i32>,
    pub batch_begin: Option<unsafe extern "C" fn(*const Host, u32, u32, u32, u32) -> *mut Batch>,
    pub batch_commit: Option<unsafe extern "C" fn(*const Host, u32, *mut Batch) -> i32>,
}

#[repr(C)]
pub struct LinkConfig {
    pub size: u32,
    pub link: u32,
    pub config: Str,
}

#[repr(C)]
pub struct DeviceConfig {
    pub size: u32,
    pub device: u32,
    pub name: Str,
    pub device_config: Str,
    pub template_body: Str,
}

#[repr(C)]
pub struct AdapterTable {
    pub size: u32,
    pub flags: u32,
    pub id: Str,
    pub open: Option<unsafe extern "C" fn(*const Host, *const RawCall, *const LinkConfig, *mut *mut c_void) -> i32>,
    pub close: Option<unsafe extern "C" fn(*const Host, *const RawCall, *mut c_void)>,
    pub device_add:
        Option<unsafe extern "C" fn(*const Host, *const RawCall, *mut c_void, *const DeviceConfig, *mut *mut c_void) -> i32>,
    pub device_remove: Option<unsafe extern "C" fn(*const Host, *const RawCall, *mut c_void, u32, *mut c_void)>,
    pub poll:
        Option<unsafe extern "C" fn(*const Host, *const RawCall, *mut c_void, u32, *mut c_void, *const u32, u32) -> i32>,
    pub get_interface: Option<unsafe extern "C" fn(Str) -> *const c_void>,
}

#[repr(C)]
pub struct Plugin {
    pub size: u32,
    pub abi: u32,
    pub id: Str,
    pub version: Str,
    pub adapters: *const *const AdapterTable,
    pub adapter_count: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct StreamInfo {
    pub size: u32,
    pub fd: i32,
    pub kind: u32,
    pub baud: u32,
    pub bits_a_byte: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct StreamService {
    pub size: u32,
    pub reserved: u32,
    pub open: Option<unsafe extern "C" fn(*const Host, *const RawCall, u32, Str, *mut StreamInfo) -> i32>,
    pub close: Option<unsafe extern "C" fn(*const Host, u32, i32)>,
    pub exchange: Option<
        unsafe extern "C" fn(*const Host, *const RawCall, i32, Bytes, u32, u32, *mut u8, u32, *mut u32) -> i32,
    >,
    pub pause: Option<unsafe extern "C" fn(*const Host, *const RawCall, u32) -> i32>,
}

#[repr(C)]
pub struct ConfigService {
    pub size: u32,
    pub reserved: u32,
    pub get_number: Option<unsafe extern "C" fn(*const Host, Str, Str, *mut f64) -> i32>,
    pub get_text: Option<unsafe extern "C" fn(*const Host, Str, Str, *mut u8, u32, *mut u32) -> i32>,
}

#[repr(C)]
pub struct DiagnosticsService {
    pub size: u32,
    pub reserved: u32,
    pub tracing: Option<unsafe extern "C" fn(*const Host, u32) -> i32>,
    pub trace: Option<unsafe extern "C" fn(*const Host, u32, u32, Bytes)>,
    pub problem: Option<unsafe extern "C" fn(*const Host, u32, u32, Str, i32, Str)>,
}

#[repr(C)]
pub struct Command {
    pub size: u32,
    pub flags: u32,
    pub key: [u8; 16],
    pub device: u32,
    pub point: u32,
    pub name: Str,
    pub arguments: Str,
    pub value: Value,
    pub type_: u16,
    pub reserved0: u16,
    pub attempt: u32,
    pub valid_until_ns: i64,
}

#[repr(C)]
pub struct Outcome {
    pub size: u32,
    pub outcome: u32,
    pub value: Value,
    pub type_: u16,
    pub reserved0: u16,
    pub code: i32,
}

#[repr(C)]
pub struct CommandsInterface {
    pub size: u32,
    pub reserved: u32,
    pub command: Option<
        unsafe extern "C" fn(*const Host, *const RawCall, *mut c_void, u32, *mut c_void, *const Command, *mut Outcome) -> i32,
    >,
}

// Tables are constant and point at constants.
unsafe impl Sync for AdapterTable {}
unsafe impl Sync for Plugin {}

/// What a call failed with: a status for the host, a sentence for a person.
pub struct Failure {
    pub status: i32,
    pub sentence: String,
}

impl Failure {
    pub fn new(class: u32, sentence: &str) -> Failure {
        Failure { status: fail(class, REASON_PLUGIN), sentence: sentence.to_string() }
    }
    pub fn reason(&self) -> u32 {
        (-i64::from(self.status)) as u32 & 0xFFFF
    }
}

pub type Answer<T> = Result<T, Failure>;

pub fn fail(class: u32, reason: u32) -> i32 {
    -((class << 16 | reason & 0xFFFF) as i32)
}

/// A status of a host slot; the host has its own sentence for a failure.
pub fn check(status: i32) -> Answer<()> {
    if status < 0 {
        return Err(Failure { status, sentence: String::new() });
    }
    Ok(())
}

pub const fn lent(text: &str) -> Str {
    Str { data: text.as_ptr(), length: text.len() as u32, reserved: 0 }
}

/// What the host lent, for as long as it is lent.
///
/// # Safety
/// `text` is lent by the host for at least `'a`.
pub unsafe fn view<'a>(text: Str) -> &'a [u8] {
    if text.data.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(text.data, text.length as usize)
}

/// CLOCK_BOOTTIME in nanoseconds, the clock of deadlines.
pub fn now() -> i64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(7, &mut time) };
    time.seconds * 1_000_000_000 + time.nanoseconds
}

/// One call from the host: valid until the method returns. Slots of 0.1 are always there.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub host: &'a Host,
    pub raw: &'a RawCall,
}

impl<'a> Call<'a> {
    pub fn explain(&self, sentence: &str) {
        if let Some(explain) = self.host.explain {
            unsafe { explain(self.host, self.raw, lent(sentence)) }
        }
    }

    pub fn service<T>(&self, id: &str) -> Option<&'static T> {
        unsafe { (self.host.get_service?(self.host, lent(id)) as *const T).as_ref() }
    }

    /// A number of a JSON document by pointer; nothing where there is none.
    pub fn number(&self, document: Str, pointer: &str) -> Option<f64> {
        let mut value = 0.0;
        let config: &ConfigService = self.service("busbar.config/1")?;
        let status = unsafe { config.get_number?(self.host, document, lent(pointer), &mut value) };
        (status >= 0).then(|| value)
    }

    pub fn text(&self, document: Str, pointer: &str) -> Option<String> {
        let mut bytes = [0u8; 256];
        let mut length = 0;
        let config: &ConfigService = self.service("busbar.config/1")?;
        let status = unsafe {
            config.get_text?(self.host, document, lent(pointer), bytes.as_mut_ptr(), bytes.len() as u32, &mut length)
        };
        if status < 0 {
            return None;
        }
        Some(String::from_utf8_lossy(bytes.get(..length as usize)?).into_owned())
    }

    /// Declares points of a device; their ids come in the same order.
    pub fn declare<const N: usize>(&self, link: u32, device: u32, points: &[PointDesc; N]) -> Answer<[u32; N]> {
        let mut ids = [0; N];
        let declare = self.host.declare_points.ok_or_else(|| Failure::new(CLASS_CONFIG, "this host has no declare_points"))?;
        let stride = std::mem::size_of::<PointDesc>() as u32;
        check(unsafe { declare(self.host, link, device, points.as_ptr(), N as u32, stride, ids.as_mut_ptr()) })?;
        Ok(ids)
    }

    /// All samples of a poll in one batch.
    pub fn commit(&self, link: u32, samples: &[Sample]) -> Answer<()> {
        let (begin, commit) = match (self.host.batch_begin, self.host.batch_commit) {
            (Some(begin), Some(commit)) => (begin, commit),
            _ => return Ok(()),
        };
        unsafe {
            let batch = match begin(self.host, link, samples.len() as u32, 0, 0).as_mut() {
                Some(batch) => batch,
                None => return Ok(()), // the host is busy: next time
            };
            let count = samples.len().min(batch.capacity as usize);
            ptr::copy_nonoverlapping(samples.as_ptr(), batch.samples, count);
            batch.count = count as u32;
            check(commit(self.host, link, batch))
        }
    }
}

/// Runs `body`; what it fails with, a panic included, becomes a status and a sentence.
///
/// # Safety
/// Both pointers are lent by the host for this call.
pub unsafe fn guarded(host: *const Host, raw: *const RawCall, body: impl FnOnce(Call) -> Answer<()>) -> i32 {
    let call = Call { host: &*host, raw: &*raw };
    match catch_unwind(AssertUnwindSafe(|| body(call))) {
        Ok(Ok(())) => OK,
        Ok(Err(failure)) => {
            if !failure.sentence.is_empty() {
                call.explain(&failure.sentence);
            }
            failure.status
        }
        Err(_) => {
            call.explain("the plugin panicked");
            fail(CLASS_BUG, REASON_PLUGIN)
        }
    }
}

/// Puts manifest.json into the section that the host reads, which is not loaded into memory.
#[macro_export]
macro_rules! manifest {
    ($path:literal) => {
        std::arch::global_asm!(
            ".pushsection .busbar.manifest,\"\",@progbits",
            concat!(".incbin \"", env!("CARGO_MANIFEST_DIR"), "/", $path, "\""),
            ".popsection",
            options(raw)
        );
        // So that a changed manifest is built in.
        const _: &[u8] = include_bytes!(concat!("../", $path));
    };
}

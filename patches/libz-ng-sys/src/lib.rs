//! Stand-in for `libz-ng-sys`: the part of its interface that `flate2` calls, answered by zlib-rs.
//!
//! `pingora-core` asks `flate2` for zlib-ng, whose bindings compile C with cmake. This crate takes their place
//! through `[patch.crates-io]`, so the workspace builds with cargo alone. It is no general binding to zlib-ng.
#![allow(non_camel_case_types, non_snake_case)]

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::mem::{align_of, offset_of, size_of};

pub use libz_rs_sys::{
    Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_FINISH, Z_FULL_FLUSH, Z_MEM_ERROR,
    Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END, Z_STREAM_ERROR, Z_SYNC_FLUSH,
};

/// An unsigned integer of zlib.
pub type uInt = c_uint;
/// A long unsigned integer of zlib.
pub type uLong = c_ulong;
/// Called by the library for memory; it may not be absent.
pub type alloc_func = unsafe extern "C" fn(*mut c_void, uInt, uInt) -> *mut c_void;
/// Called by the library to give memory back; it may not be absent.
pub type free_func = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// What the library keeps to itself.
#[derive(Debug)]
pub enum internal_state {}

/// One stream. The layout is that of zlib-rs, checked below; the allocator functions are plain pointers here.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct z_stream {
    pub next_in: *mut u8,
    pub avail_in: uInt,
    pub total_in: c_ulong,
    pub next_out: *mut u8,
    pub avail_out: uInt,
    pub total_out: c_ulong,
    pub msg: *mut c_char,
    pub state: *mut internal_state,
    pub zalloc: alloc_func,
    pub zfree: free_func,
    pub opaque: *mut c_void,
    pub data_type: c_int,
    pub adler: c_ulong,
    pub reserved: uLong,
}

/// A stream as the functions take it.
pub type z_streamp = *mut z_stream;

const fn same_place(ours: usize, theirs: usize) {
    assert!(ours == theirs, "z_stream differs from the one of zlib-rs");
}

macro_rules! check_layout {
    ($($field:ident),+) => {
        const _: () = {
            same_place(size_of::<z_stream>(), size_of::<libz_rs_sys::z_stream>());
            same_place(align_of::<z_stream>(), align_of::<libz_rs_sys::z_stream>());
            $(same_place(offset_of!(z_stream, $field), offset_of!(libz_rs_sys::z_stream, $field));)+
        };
    };
}
check_layout!(
    next_in, avail_in, total_in, next_out, avail_out, total_out, msg, state, zalloc, zfree, opaque, data_type,
    adler, reserved
);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $kind:ty),*);)+) => {$(
        /// The function of this name in zlib.
        ///
        /// # Safety
        ///
        /// As zlib says: `stream` is valid and initialised, its buffers are as long as it states.
        #[inline]
        pub unsafe extern "C" fn $name(stream: z_streamp $(, $arg: $kind)*) -> c_int {
            // SAFETY: the caller keeps zlib's contract, and both stream types have one layout.
            unsafe { libz_rs_sys::$name(stream.cast() $(, $arg)*) }
        }
    )+};
}
pass_on! {
    deflate(flush: c_int);
    deflateEnd();
    deflateReset();
    deflateParams(level: c_int, strategy: c_int);
    deflateSetDictionary(dictionary: *const u8, length: uInt);
    deflateInit2_(
        level: c_int, method: c_int, window_bits: c_int, memory_level: c_int, strategy: c_int,
        version: *const c_char, stream_size: c_int
    );
    inflate(flush: c_int);
    inflateEnd();
    inflateReset2(window_bits: c_int);
    inflateSetDictionary(dictionary: *const u8, length: uInt);
    inflateInit2_(window_bits: c_int, version: *const c_char, stream_size: c_int);
}

/// The version of zlib that is spoken, as text.
pub extern "C" fn zlibVersion() -> *const c_char {
    libz_rs_sys::zlibVersion()
}

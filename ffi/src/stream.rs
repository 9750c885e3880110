//! Content that comes from C and goes to C in pieces. As in `pointer`, values of these types are made by nobody
//! but a C caller, who has accepted the contract in the header.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    io::{self, Read, Write},
};

use crate::fault::{Fault, gmkit_error};

/// Reads up to `size` bytes into `buffer`, which is not NULL, and puts their number into `*len`: 0 only
/// at the end. Returns 0; anything else is a failure. Must return: no exception, no longjmp. `context` is
/// what was given beside the function.
pub type gmkit_read = Option<
    extern "C" fn(context: *mut c_void, buffer: *mut u8, size: usize, len: *mut usize) -> i32,
>;

/// Takes all of `len` bytes. Returns 0; anything else is a failure. Must return: no exception, no
/// longjmp. `context` is what was given beside the function.
pub type gmkit_write =
    Option<extern "C" fn(context: *mut c_void, data: *const u8, len: usize) -> i32>;

/// `gmkit_read`, with its context in another argument.
#[repr(transparent)]
pub struct Reader(gmkit_read);

/// `gmkit_write`, with its context in another argument.
#[repr(transparent)]
pub struct Writer(gmkit_write);

/// `void *`, for the caller's function alone.
#[repr(transparent)]
pub struct Context(*mut c_void);

fn null() -> Fault {
    Fault::new(gmkit_error::GMKIT_ERR_NULL, "a function is NULL that must not be")
}

impl Reader {
    /// The stream; `None` for NULL.
    pub(crate) fn optional<'c>(&self, context: &'c Context) -> Option<Source<'c>> {
        self.0.map(|read| Source { read, context })
    }

    pub(crate) fn with<'c>(&self, context: &'c Context) -> Result<Source<'c>, Fault> {
        self.optional(context).ok_or_else(null)
    }
}

impl Writer {
    /// The stream; `None` for NULL.
    pub(crate) fn optional<'c>(&self, context: &'c Context) -> Option<Sink<'c>> {
        self.0.map(|write| Sink { write, context })
    }

    pub(crate) fn with<'c>(&self, context: &'c Context) -> Result<Sink<'c>, Fault> {
        self.optional(context).ok_or_else(null)
    }
}

/// What the caller reads for us.
pub(crate) struct Source<'c> {
    read: extern "C" fn(*mut c_void, *mut u8, usize, *mut usize) -> i32,
    context: &'c Context,
}

/// What the caller writes for us.
pub(crate) struct Sink<'c> {
    write: extern "C" fn(*mut c_void, *const u8, usize) -> i32,
    context: &'c Context,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut len = 0;
        match (self.read)(self.context.0, buffer.as_mut_ptr(), buffer.len(), &raw mut len) {
            0 if len <= buffer.len() => Ok(len),
            0 => Err(io::Error::other("the function that reads has read more than there is room")),
            _ => Err(io::Error::other("the function that reads has failed")),
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        match (self.write)(self.context.0, bytes.as_ptr(), bytes.len()) {
            0 => Ok(bytes.len()),
            _ => Err(io::Error::other("the function that writes has failed")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The types of arguments that come from C. A value of such a type can be made by nobody but a C
//! caller (the fields are private, there is no constructor), and that caller has accepted the
//! contract in the header: pointers are NULL or point to what the function's description says,
//! for as long as the call lasts. This is why their methods are safe to call; what can be
//! checked, they check.
#![allow(unsafe_code)]

#[cfg(unix)]
use std::{
    ffi::c_int,
    io,
    os::fd::{BorrowedFd, OwnedFd},
};
use std::{
    ffi::{CStr, c_char},
    marker::PhantomData,
    mem::MaybeUninit,
    ops::Deref,
    slice,
};

use zeroize::{Zeroize, Zeroizing};

use crate::{
    fault::{Fault, gmkit_error},
    handle::{Handle, Kind, busy},
};

fn null() -> Fault {
    Fault::new(gmkit_error::GMKIT_ERR_NULL, "a pointer is NULL that must not be")
}

/// No object is larger than half the address space (C23 and Rust agree).
fn check_len(len: usize) -> Result<(), Fault> {
    if len > isize::MAX as usize {
        return Err(Fault::argument("a length is larger than any object"));
    }
    Ok(())
}

/// `const uint8_t *`, with its length in another argument.
#[repr(transparent)]
pub struct In(*const u8);

impl In {
    /// The bytes. NULL is right for none at all.
    pub(crate) fn bytes(&self, len: usize) -> Result<&[u8], Fault> {
        check_len(len)?;
        if len == 0 {
            return Ok(&[]);
        }
        if self.0.is_null() {
            return Err(null());
        }
        // SAFETY: not NULL; the caller vouches for `len` readable bytes that do not change during
        // the call, and `len` fits.
        Ok(unsafe { slice::from_raw_parts(self.0, len) })
    }

    /// The bytes, copied if some of them are to be overwritten in `output`.
    pub(crate) fn bytes_apart_from(
        &self,
        len: usize,
        output: &Output<'_>,
    ) -> Result<Copied<'_>, Fault> {
        let bytes = self.bytes(len)?;
        if overlap(self.0, len, output.out.0, output.room) {
            return Ok(Copied::Copy(Zeroizing::new(bytes.to_vec())));
        }
        Ok(Copied::Original(bytes))
    }

    /// The bytes, or `None` for NULL.
    pub(crate) fn optional(&self, len: usize) -> Result<Option<&[u8]>, Fault> {
        if self.0.is_null() && len == 0 {
            return Ok(None);
        }
        self.bytes(len).map(Some)
    }
}

/// Input, or a copy of it that is wiped.
pub(crate) enum Copied<'a> {
    Original(&'a [u8]),
    Copy(Zeroizing<Vec<u8>>),
}

impl Deref for Copied<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Original(bytes) => bytes,
            Self::Copy(bytes) => bytes,
        }
    }
}

/// Some bytes, as one of many in an array. `data` may be NULL when `len` is zero.
#[repr(C)]
pub struct gmkit_bytes {
    /// The first of them.
    pub data: In,
    /// Their number.
    pub len: usize,
}

/// `const gmkit_bytes *`, with its length in another argument.
#[repr(transparent)]
pub struct InMany(*const gmkit_bytes);

impl InMany {
    /// The bytes of each. NULL is right for none at all.
    pub(crate) fn get(&self, count: usize) -> Result<Vec<&[u8]>, Fault> {
        check_len(count.saturating_mul(size_of::<gmkit_bytes>()))?;
        if count == 0 {
            return Ok(Vec::new());
        }
        if self.0.is_null() {
            return Err(null());
        }
        if !self.0.is_aligned() {
            return Err(Fault::argument("an array of gmkit_bytes is not aligned"));
        }
        // SAFETY: not NULL, aligned; the caller vouches for `count` of them that do not change
        // during the call, and their size fits.
        let many = unsafe { slice::from_raw_parts(self.0, count) };
        many.iter().map(|bytes| bytes.data.bytes(bytes.len)).collect()
    }
}

/// `int32_t *` to room for one [`gmkit_error`] each of many. Not a pointer to the enumeration,
/// whose size a C compiler can be told to change.
#[repr(transparent)]
pub struct Verdicts(*mut i32);

impl Verdicts {
    /// Refuses NULL for a number of verdicts that is not zero, before any work is done.
    pub(crate) fn check(&self, count: usize) -> Result<(), Fault> {
        if count > 0 && self.0.is_null() {
            return Err(null());
        }
        if !self.0.is_aligned() {
            return Err(Fault::argument("an array of verdicts is not aligned"));
        }
        Ok(())
    }

    /// Refuses verdicts that lie over what is read: one of the arrays, what these point to, or one
    /// more input.
    pub(crate) fn apart_from(
        &self,
        count: usize,
        arrays: &[&InMany],
        (more, more_len): (&In, usize),
    ) -> Result<(), Fault> {
        let lies_over = |other: *const u8, len| {
            overlap(self.0.cast(), count.saturating_mul(size_of::<i32>()), other, len)
        };
        let array_len = count.saturating_mul(size_of::<gmkit_bytes>());
        // The arrays first: what stands in them is looked at when it cannot have been changed.
        let mut over = lies_over(more.0, more_len)
            | arrays.iter().any(|array| lies_over(array.0.cast(), array_len));
        for array in arrays {
            let bytes = if over { Vec::new() } else { array.get(count).unwrap_or_default() };
            over |= bytes.iter().any(|bytes| lies_over(bytes.as_ptr(), bytes.len()));
        }
        if over { Err(Fault::argument("verdicts overlap with another argument")) } else { Ok(()) }
    }

    /// Writes the same verdict for each of `count`.
    pub(crate) fn fill(&self, count: usize, verdict: gmkit_error) -> Result<(), Fault> {
        check_len(count.saturating_mul(size_of::<i32>()))?;
        for i in 0..count {
            // SAFETY: `check` has passed for `count`; the caller vouches for room for so many.
            unsafe { self.0.add(i).write(verdict as i32) };
        }
        Ok(())
    }

    /// Writes the verdicts, as many as [`Verdicts::check`] was told.
    pub(crate) fn write(&self, verdicts: &[gmkit_error]) -> Result<(), Fault> {
        self.check(verdicts.len())?;
        if !verdicts.is_empty() {
            // SAFETY: not NULL, aligned; the caller vouches for room for one verdict of each, and
            // has at least as much of it as the function was told.
            let room = unsafe { slice::from_raw_parts_mut(self.0, verdicts.len()) };
            room.iter_mut().zip(verdicts).for_each(|(room, verdict)| *room = *verdict as i32);
        }
        Ok(())
    }
}

/// `const uint8_t *` to exactly `N` bytes.
#[repr(transparent)]
pub struct InArray<const N: usize>(*const u8);

impl<const N: usize> InArray<N> {
    /// The bytes.
    pub(crate) fn get(&self) -> Result<&[u8; N], Fault> {
        if self.0.is_null() {
            return Err(null());
        }
        // SAFETY: not NULL; the caller vouches for `N` readable bytes; an array of bytes needs no
        // alignment.
        Ok(unsafe { &*self.0.cast() })
    }
}

/// `uint8_t *`, with its length in another argument or fixed.
#[repr(transparent)]
pub struct Out(*mut u8);

impl Out {
    /// Refuses NULL, before any work is done.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.is_null() { Err(null()) } else { Ok(()) }
    }

    /// Refuses NULL where `len` bytes are to be written, before any work is done.
    pub(crate) fn check_room(&self, len: usize) -> Result<(), Fault> {
        if len == 0 { Ok(()) } else { self.check() }
    }

    /// Whether the pointer is NULL.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Writes all of `bytes`, to where the caller vouches for that much room.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.is_null() {
            return Err(null());
        }
        // SAFETY: not NULL; the caller vouches for room of this many bytes, which its length
        // argument or the function's description says. `copy` allows overlap.
        unsafe { self.0.copy_from(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Refuses an output of `len` bytes that lies over other arguments of the call.
    pub(crate) fn apart_from(&self, len: usize, others: &[&[u8]]) -> Result<(), Fault> {
        if others.iter().any(|other| overlap(self.0, len, other.as_ptr(), other.len())) {
            return Err(Fault::argument("an output overlaps with another argument"));
        }
        Ok(())
    }

    /// Refuses outputs that lie over each other.
    pub(crate) fn apart_from_out(
        &self,
        len: usize,
        other: &Self,
        other_len: usize,
    ) -> Result<(), Fault> {
        if overlap(self.0, len, other.0, other_len) {
            return Err(Fault::argument("an output overlaps with another argument"));
        }
        Ok(())
    }

    /// `len` bytes that are there to be overwritten.
    pub(crate) fn fill(&mut self, len: usize) -> Result<&mut [u8], Fault> {
        check_len(len)?;
        if len == 0 {
            return Ok(&mut []);
        }
        if self.is_null() {
            return Err(null());
        }
        // SAFETY: not NULL; the caller vouches for `len` bytes nobody else uses during the call.
        // They may be uninitialised for C, but every allocation reached this way is foreign
        // memory to Rust, and a byte has no invalid value.
        Ok(unsafe { slice::from_raw_parts_mut(self.0, len) })
    }
}

/// `uint8_t *` to room for exactly `N` bytes.
#[repr(transparent)]
pub struct OutArray<const N: usize>(Out);

impl<const N: usize> OutArray<N> {
    /// Refuses NULL, before any work is done.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.0.check()
    }

    /// Refuses an output that lies over `len` bytes at `other`.
    pub(crate) fn apart_from(&self, other: &Out, len: usize) -> Result<(), Fault> {
        self.0.apart_from_out(N, other, len)
    }

    /// Writes the bytes.
    pub(crate) fn write(&self, bytes: &[u8; N]) -> Result<(), Fault> {
        self.0.write(bytes)
    }
}

/// Input and output of the same length: one buffer, or two that have no byte in common.
pub(crate) enum InOut<'a> {
    InPlace(&'a mut [u8]),
    Apart(&'a [u8], &'a mut [u8]),
}

impl<'a> InOut<'a> {
    pub(crate) fn new(input: &'a In, output: &'a mut Out, len: usize) -> Result<Self, Fault> {
        if input.0 == output.0 {
            return output.fill(len).map(Self::InPlace);
        }
        if overlap(input.0, len, output.0, len) {
            return Err(Fault::argument("input and output overlap without being the same"));
        }
        Ok(Self::Apart(input.bytes(len)?, output.fill(len)?))
    }

    /// The output with the input in it, for work in place.
    pub(crate) fn copied(self) -> &'a mut [u8] {
        match self {
            Self::InPlace(buffer) => buffer,
            Self::Apart(input, output) => {
                output.copy_from_slice(input);
                output
            }
        }
    }
}

fn overlap(a: *const u8, a_len: usize, b: *const u8, b_len: usize) -> bool {
    let (a, b) = (a.addr(), b.addr());
    a_len != 0 && b_len != 0 && a < b.saturating_add(b_len) && b < a.saturating_add(a_len)
}

/// `size_t *` beside an output: its room on entry, its length on return.
#[repr(transparent)]
pub struct Len(*mut usize);

impl Len {
    /// Refuses NULL, before any work is done.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.0.is_null() { Err(null()) } else { Ok(()) }
    }

    /// The room, once [`Len::check`] has passed and the caller does not only ask.
    fn room(&self) -> usize {
        // SAFETY: not NULL; the caller vouches for a `size_t` there. It may be unaligned when it
        // comes from another language's memory.
        unsafe { self.0.read_unaligned() }
    }

    fn set(&self, len: usize) {
        // SAFETY: not NULL, as above; the caller vouches that it may be written.
        unsafe { self.0.write_unaligned(len) };
    }
}

/// `uint64_t *`, which may be NULL: then nobody wants to know.
#[cfg(unix)]
#[repr(transparent)]
pub struct Number(*mut u64);

#[cfg(unix)]
impl Number {
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(crate) fn set(&self, value: u64) {
        if !self.is_null() {
            // SAFETY: not NULL; the caller vouches for a `uint64_t` there that may be written, which may be
            // unaligned when it comes from another language's memory.
            unsafe { self.0.write_unaligned(value) };
        }
    }
}

/// An output of a size that the function decides: `uint8_t *out, size_t *out_len`.
pub(crate) struct Output<'a> {
    out: &'a mut Out,
    len: &'a Len,
    room: usize,
}

impl<'a> Output<'a> {
    /// Makes sure of room for `most` bytes. When `out` is NULL the caller only asks for the size:
    /// it is told `most`, and `None` comes back. For functions whose success is a verdict, see
    /// [`Output::given`].
    pub(crate) fn new(out: &'a mut Out, len: &'a Len, most: usize) -> Result<Option<Self>, Fault> {
        len.check()?;
        if out.is_null() {
            len.set(most);
            return Ok(None);
        }
        Self::given(out, len, most).map(Some)
    }

    /// The same where NULL is refused.
    pub(crate) fn given(out: &'a mut Out, len: &'a Len, most: usize) -> Result<Self, Fault> {
        len.check()?;
        if out.is_null() {
            return Err(null());
        }
        let room = len.room();
        if room < most {
            return Err(Fault::new(
                gmkit_error::GMKIT_ERR_BUFFER_TOO_SMALL,
                format!("the output needs room for {most} bytes and has {room}"),
            ));
        }
        check_len(room)?;
        Ok(Self { out, len, room })
    }

    /// The bytes to be written; [`Output::finish`] says how many of them.
    pub(crate) fn buffer(&mut self) -> Result<&mut [u8], Fault> {
        self.out.fill(self.room)
    }

    /// Sets the length, after the work in [`Output::buffer`].
    pub(crate) fn finish(self, len: usize) {
        self.len.set(len);
    }

    /// Writes the result and its length. `bytes` has no more than was asked for.
    pub(crate) fn write(self, bytes: &[u8]) -> Result<(), Fault> {
        assert!(bytes.len() <= self.room, "more output than announced");
        self.out.write(bytes)?;
        self.len.set(bytes.len());
        Ok(())
    }
}

/// `const T *`: a handle that is only read, by any number of threads at a time.
#[repr(transparent)]
pub struct Ref<T>(*const T, PhantomData<T>);

impl<K: Kind<Value: Sync>> Ref<Handle<K>> {
    /// The value inside, or `None` for NULL.
    #[cfg(unix)]
    pub(crate) fn optional(&self) -> Result<Option<&K::Value>, Fault> {
        if self.0.is_null() { Ok(None) } else { self.get().map(Some) }
    }

    /// The value inside.
    pub(crate) fn get(&self) -> Result<&K::Value, Fault> {
        check_handle::<K>(self.0, &[K::TAG])?;
        // SAFETY: not NULL, aligned, and tagged as a live handle of this type, which only
        // `Slot::put` makes; the caller vouches that nobody frees or changes it during the call.
        Ok(unsafe { &(*self.0).value })
    }
}

/// `T *`: a handle that the function changes.
#[repr(transparent)]
pub struct RefMut<T>(*mut T, PhantomData<T>);

impl<K: Kind> RefMut<Handle<K>> {
    /// Lends the value inside to `work`. The handle is marked as busy meanwhile, and stays so when
    /// `work` panics.
    pub(crate) fn with<T>(
        self,
        work: impl FnOnce(&mut K::Value) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        check_handle::<K>(self.0, &[K::TAG])?;
        // SAFETY: as in `Ref::get`; the caller vouches that nobody else uses it during the call.
        let handle = unsafe { &mut *self.0 };
        handle.tag = busy(K::TAG);
        let result = work(&mut handle.value);
        handle.tag = K::TAG;
        result
    }
}

/// `T *` to be freed.
#[repr(transparent)]
pub struct Owned<T>(*mut T, PhantomData<T>);

impl<K: Kind> Owned<Handle<K>> {
    /// Drops the value, wipes all of the handle's memory and frees it. The value alone would not
    /// do: what was moved out of it (a stream that has finished) leaves its bytes behind. Nothing
    /// happens to NULL or to what is no live handle of this type.
    pub(crate) fn free(self) {
        if check_handle::<K>(self.0, &[K::TAG, busy(K::TAG)]).is_err() {
            return;
        }
        // SAFETY: tagged as a live handle of this type, which `Slot::put` made from a box; the
        // caller gives it up, so that it is dropped here for the only time.
        unsafe { self.0.drop_in_place() };
        // SAFETY: the memory of that box, whose value is gone: uninitialised bytes.
        let memory = unsafe {
            slice::from_raw_parts_mut(self.0.cast::<MaybeUninit<u8>>(), size_of::<Handle<K>>())
        };
        memory.zeroize();
        // SAFETY: that box again, with nothing in it to be dropped.
        drop(unsafe { Box::from_raw(self.0.cast::<MaybeUninit<Handle<K>>>()) });
    }
}

fn check_handle<K: Kind>(pointer: *const Handle<K>, tags: &[u64]) -> Result<(), Fault> {
    if pointer.is_null() {
        return Err(null());
    }
    // SAFETY: read only when aligned; the caller vouches that a handle is there, and the tag is
    // its first field whatever its type (`repr(C)`).
    if !pointer.is_aligned() || !tags.contains(&unsafe { pointer.cast::<u64>().read() }) {
        return Err(Fault::new(
            gmkit_error::GMKIT_ERR_HANDLE,
            "a handle has another type, is in use, or has been freed",
        ));
    }
    Ok(())
}

/// `T **`: where a new handle goes.
#[repr(transparent)]
pub struct Slot<T>(*mut *mut T, PhantomData<T>);

impl<K: Kind> Slot<Handle<K>> {
    /// Refuses NULL, before any work is done.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.0.is_null() { Err(null()) } else { Ok(()) }
    }

    /// Makes a handle and gives it to the caller.
    pub(crate) fn put(&self, value: K::Value) -> Result<(), Fault> {
        self.check()?;
        let handle = Box::into_raw(Box::new(Handle::new(value)));
        // SAFETY: not NULL; the caller vouches for room for a pointer.
        unsafe { self.0.write_unaligned(handle) };
        Ok(())
    }
}

/// `const char *`: text that ends with a NUL byte.
#[repr(transparent)]
pub struct Text(*const c_char);

impl Text {
    /// The text, which must be UTF-8.
    pub(crate) fn get(&self) -> Result<&str, Fault> {
        if self.0.is_null() {
            return Err(null());
        }
        // SAFETY: not NULL; the caller vouches for a NUL byte at the end.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map_err(|_| Fault::argument("text is not UTF-8"))
    }
}

/// `int`: a descriptor that is open.
#[cfg(unix)]
#[repr(transparent)]
pub struct Fd(c_int);

#[cfg(unix)]
impl Fd {
    /// A descriptor of one's own for the same socket, which has nothing to do with the caller's any
    /// more.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd, Fault> {
        let bad = |error: io::Error| {
            Fault::new(gmkit_error::GMKIT_ERR_IO, format!("the descriptor: {error}"))
        };
        if self.0 < 0 {
            return Err(bad(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        // SAFETY: not -1; the caller vouches that it is open for as long as the call lasts. One that
        // is not is refused by the operating system.
        unsafe { BorrowedFd::borrow_raw(self.0) }.try_clone_to_owned().map_err(bad)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    mod kinds {
        crate::handle::handles! {
            /// For these tests.
            struct one(Vec<u8>);
            /// Another type of the same size.
            struct other(Vec<u8>);
        }
    }
    use kinds::{one, other};

    fn new() -> *mut one {
        let mut handle = std::ptr::null_mut();
        Slot(&raw mut handle, PhantomData).put(vec![1, 2, 3]).unwrap();
        handle
    }

    fn code<T>(result: Result<T, Fault>) -> gmkit_error {
        result.err().expect("a fault").record()
    }

    #[test]
    fn a_handle_whose_function_panicked_can_only_be_freed() {
        let handle = new();
        let panicked = catch_unwind(|| {
            RefMut::<one>(handle, PhantomData).with(|_| -> Result<(), Fault> { panic!("a bug") })
        });
        assert!(panicked.is_err());
        let again = RefMut::<one>(handle, PhantomData).with(|_| Ok(()));
        assert_eq!(code(again), gmkit_error::GMKIT_ERR_HANDLE);
        let read = Ref::<one>(handle, PhantomData);
        assert_eq!(code(read.get()), gmkit_error::GMKIT_ERR_HANDLE);
        Owned::<one>(handle, PhantomData).free();
    }

    #[test]
    fn a_fault_leaves_a_handle_usable_and_types_are_told_apart() {
        let handle = new();
        let fault = RefMut::<one>(handle, PhantomData)
            .with(|_| -> Result<(), Fault> { Err(Fault::finished()) });
        assert_eq!(code(fault), gmkit_error::GMKIT_ERR_FINISHED);
        let wrong = Ref::<other>(handle.cast(), PhantomData);
        assert_eq!(code(wrong.get()), gmkit_error::GMKIT_ERR_HANDLE);
        Owned::<other>(handle.cast(), PhantomData).free(); // refused: still there
        assert_eq!(Ref::<one>(handle, PhantomData).get().unwrap(), &[1, 2, 3]);
        Owned::<one>(handle, PhantomData).free();
    }

    #[test]
    fn overlap_is_exact() {
        let bytes = [0_u8; 16];
        let at = |i: usize| bytes[i..].as_ptr();
        assert!(overlap(at(0), 8, at(7), 1));
        assert!(overlap(at(7), 1, at(0), 8));
        assert!(!overlap(at(0), 8, at(8), 8));
        assert!(!overlap(at(8), 8, at(0), 8));
        assert!(!overlap(at(4), 0, at(0), 8), "nothing lies over nothing");
    }

    fn verify_nothing(verdicts: *mut i32, messages: &[gmkit_bytes]) -> gmkit_error {
        let no_key = Ref(std::ptr::null(), PhantomData);
        crate::sm2_batch::gmkit_sm2_verify_many(
            no_key,
            In(std::ptr::null()),
            0,
            InMany(messages.as_ptr()),
            0,
            InMany(messages.as_ptr()),
            messages.len(),
            Verdicts(verdicts),
        )
    }

    #[test]
    fn verdicts_do_not_overwrite_what_is_read() {
        let mut bytes = [0_i32; 8];
        let at = bytes.as_mut_ptr();
        let message = |from: *const i32, len| gmkit_bytes { data: In(from.cast()), len };
        let mut messages = [message(at, 4), message(at, 0)];
        let over_a_message = verify_nothing(at, &messages);
        let over_the_array = verify_nothing(messages.as_mut_ptr().cast(), &messages);
        assert_eq!([over_a_message, over_the_array], [gmkit_error::GMKIT_ERR_ARGUMENT; 2]);
        assert!(bytes == [0; 8] && messages[0].len == 4);
        let beside = verify_nothing(at.wrapping_add(1), &messages);
        assert_eq!(beside, gmkit_error::GMKIT_ERR_NULL);
        let rejected = gmkit_error::GMKIT_ERR_REJECTED as i32;
        assert_eq!(bytes[..4], [0, rejected, rejected, 0]);
    }

    /// The error state is for ever: a process of its own gets into it.
    #[test]
    fn the_error_state_leaves_no_verdict() {
        let name = "pointer::tests::the_error_state_leaves_no_verdict";
        if std::env::var_os("GMKIT_TEST_ERROR_STATE").is_none() {
            let mut test = std::process::Command::new(std::env::current_exe().unwrap());
            test.args(["--exact", name]).env("GMKIT_TEST_ERROR_STATE", "1");
            let output = test.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        toolkit::keys::selftest::record("on purpose", false).unwrap_err();
        let mut verdicts = [0_i32; 2];
        let message = || gmkit_bytes { data: In(b"x".as_ptr()), len: 1 };
        let code = verify_nothing(verdicts.as_mut_ptr(), &[message(), message()]);
        assert_eq!(code, gmkit_error::GMKIT_ERR_SELF_TEST);
        assert_eq!(verdicts, [gmkit_error::GMKIT_ERR_REJECTED as i32; 2]);
    }
}

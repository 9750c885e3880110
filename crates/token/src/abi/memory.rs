//! From the caller's memory and back.

use std::{ptr, slice};

use cryptoki_sys::*;

use zeroize::Zeroizing;

use crate::{
    attributes::Attributes,
    mechanism::{self, MAX_PARAMETER, Mechanism, Parameter, Shape},
    rules::MAX_VALUE,
    rv::{Result, Rv, ensure, fail},
    session::Answer,
};

/// Most bytes of one buffer: longer messages come in pieces.
const MAX_INPUT: CK_ULONG = (1 << 31) - 1;

/// Most attributes of a template.
const MAX_ATTRIBUTES: CK_ULONG = 256;

/// A caller's buffer; NULL only when it is empty.
///
/// # Safety
/// `pointer` is NULL or points to `len` bytes that nobody writes to for `'a`.
pub(super) unsafe fn bytes<'a>(pointer: *const CK_BYTE, len: CK_ULONG) -> Result<&'a [u8]> {
    #[cfg(feature = "lab")]
    crate::lab::frame(len)?;
    // SAFETY: bytes have no alignment, and the rest is the caller's duty.
    unsafe { items(pointer, len, MAX_INPUT) }
}

/// A caller's array.
///
/// # Safety
/// As [`bytes`], with `len` items of type `T`.
unsafe fn items<'a, T>(pointer: *const T, len: CK_ULONG, most: CK_ULONG) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    ensure(!pointer.is_null() && pointer.is_aligned() && len <= most, CKR_ARGUMENTS_BAD)?;
    // SAFETY: not NULL, aligned, and by the caller's duty that many items; `most` keeps the size
    // below isize::MAX.
    Ok(unsafe { slice::from_raw_parts(pointer, len as usize) })
}

/// Writes a result where the caller wants it.
///
/// # Safety
/// `pointer` is NULL or points to room for a `T`.
pub(super) unsafe fn put<T>(pointer: *mut T, value: T) -> Result {
    ensure(!pointer.is_null() && pointer.is_aligned(), CKR_ARGUMENTS_BAD)?;
    // SAFETY: not NULL, aligned, and room by the caller's duty.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Reads a structure or number.
///
/// # Safety
/// `pointer` is NULL or points to a `T`.
pub(super) unsafe fn get<T: Copy>(pointer: *const T) -> Result<T> {
    ensure(!pointer.is_null() && pointer.is_aligned(), CKR_ARGUMENTS_BAD)?;
    // SAFETY: not NULL, aligned, and a `T` by the caller's duty.
    Ok(unsafe { pointer.read() })
}

/// A caller's buffer for an answer, with its length in and out.
pub(super) struct Output {
    buffer: *mut CK_BYTE,
    len: *mut CK_ULONG,
    room: Option<usize>,
}

impl Output {
    /// # Safety
    /// `len` is NULL or points to a length; `buffer` is NULL or points to that many bytes. Both
    /// stay so until [`Output::answer`].
    pub(super) unsafe fn new(buffer: *mut CK_BYTE, len: *mut CK_ULONG) -> Result<Self> {
        // SAFETY: the caller's duty.
        let given = unsafe { get(len) }?;
        // A length beyond what memory holds is none: such as an uninitialised one.
        let given = usize::try_from(given).unwrap_or(usize::MAX).min(isize::MAX as usize);
        Ok(Self { buffer, len, room: (!buffer.is_null()).then_some(given) })
    }

    /// The room there is; `None` where only the length is asked.
    pub(super) fn room(&self) -> Option<usize> {
        self.room
    }

    /// Writes the answer, and its length in any case (PKCS#11 2.40, 5.2).
    pub(super) fn answer(self, answer: Answer) -> Result {
        let (bytes, len, done) = match &answer {
            Answer::Length(len) => (&[][..], *len, Ok(())),
            Answer::TooShort(len) => (&[][..], *len, fail(CKR_BUFFER_TOO_SMALL)),
            Answer::Bytes(bytes) => (bytes.as_slice(), bytes.len(), Ok(())),
        };
        ensure(bytes.len() <= self.room.unwrap_or(0), CKR_FUNCTION_FAILED)?;
        // SAFETY: `new` found the length's place, which by its contract is still there; the bytes
        // fit into the room that it found. The input may lie in the same buffer: nothing refers to
        // it any more, `bytes` being our own.
        unsafe {
            if !bytes.is_empty() {
                ptr::copy_nonoverlapping(bytes.as_ptr(), self.buffer, bytes.len());
            }
            self.len.write(len as CK_ULONG);
        }
        done
    }
}

/// Writes items to a caller's array, whose capacity comes in and whose count goes out: the lists of
/// slots, mechanisms and interfaces.
///
/// # Safety
/// `count` is NULL or points to a number; `list` is NULL or points to that many items.
pub(super) unsafe fn put_list<T: Copy>(list: *mut T, count: *mut CK_ULONG, items: &[T]) -> Result {
    // SAFETY: the caller's duty.
    let room = unsafe { get(count) }?;
    let enough = list.is_null() || room >= items.len() as CK_ULONG;
    if enough && !list.is_null() {
        ensure(list.is_aligned(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: the room was just compared, and ours is not the caller's memory.
        unsafe { ptr::copy_nonoverlapping(items.as_ptr(), list, items.len()) };
    }
    // SAFETY: read above.
    unsafe { count.write(items.len() as CK_ULONG) };
    ensure(enough, CKR_BUFFER_TOO_SMALL)
}

/// A caller's template, copied.
///
/// # Safety
/// `template` is NULL or points to `count` attributes, each of whose values is NULL or points to as
/// many bytes as it says.
pub(super) unsafe fn template(
    template: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Result<Attributes> {
    // SAFETY: the caller's duty.
    let entries = unsafe { items(template, count, MAX_ATTRIBUTES) }?;
    let mut copies = Vec::with_capacity(entries.len());
    for entry in entries {
        ensure(entry.ulValueLen <= MAX_VALUE as CK_ULONG, CKR_ATTRIBUTE_VALUE_INVALID)?;
        let missing = entry.pValue.is_null() && entry.ulValueLen > 0;
        ensure(!missing, CKR_ATTRIBUTE_VALUE_INVALID)?;
        // SAFETY: the caller's duty.
        let value = unsafe { bytes(entry.pValue.cast(), entry.ulValueLen) }?;
        copies.push((entry.type_, Zeroizing::new(value.to_vec())));
    }
    Attributes::from_template(copies)
}

/// The attributes whose values a caller wants, to be filled in.
///
/// # Safety
/// As [`template`], with memory that is the caller's to be written to.
pub(super) unsafe fn wanted<'a>(
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Result<&'a mut [CK_ATTRIBUTE]> {
    // SAFETY: the caller's duty.
    let len = unsafe { items(template, count, MAX_ATTRIBUTES) }?.len();
    if len == 0 {
        return Ok(&mut []);
    }
    // SAFETY: as above, and for writing too by the caller's duty.
    Ok(unsafe { slice::from_raw_parts_mut(template, len) })
}

/// A mechanism, with its parameter copied.
///
/// # Safety
/// `mechanism` is NULL or points to a mechanism, whose parameter is NULL or points to as many bytes
/// as it says, and to the structure that the standard names where there is one.
pub(super) unsafe fn mechanism(mechanism: *const CK_MECHANISM) -> Result<Mechanism> {
    // SAFETY: the caller's duty.
    let given = unsafe { get(mechanism) }?;
    let (offer, shape) = mechanism::look_up(given.mechanism)?;
    let invalid = Rv(CKR_MECHANISM_PARAM_INVALID);
    ensure(given.ulParameterLen <= MAX_PARAMETER as CK_ULONG, CKR_MECHANISM_PARAM_INVALID)?;
    let pointer = given.pParameter;
    let parameter = match shape {
        Shape::Bytes => {
            // SAFETY: the caller's duty.
            let bytes = unsafe { bytes(pointer.cast(), given.ulParameterLen) }.or(Err(invalid))?;
            if bytes.is_empty() { Parameter::None } else { Parameter::Bytes(bytes.to_vec()) }
        }
        Shape::Gcm => {
            ensure(given.ulParameterLen == size_of::<CK_GCM_PARAMS>() as CK_ULONG, invalid.0)?;
            // SAFETY: the caller's duty: a structure of that size.
            let parameters: CK_GCM_PARAMS = unsafe { get(pointer.cast()) }.or(Err(invalid))?;
            // SAFETY: the caller's duty.
            let iv = unsafe { bytes(parameters.pIv, parameters.ulIvLen) }.or(Err(invalid))?;
            // SAFETY: the caller's duty.
            let aad = unsafe { bytes(parameters.pAAD, parameters.ulAADLen) }.or(Err(invalid))?;
            let tag_bits = parameters.ulTagBits as usize;
            Parameter::Gcm { iv: iv.to_vec(), aad: aad.to_vec(), tag_bits }
        }
        Shape::Ecdh => {
            let size = size_of::<CK_ECDH1_DERIVE_PARAMS>() as CK_ULONG;
            ensure(given.ulParameterLen == size, invalid.0)?;
            // SAFETY: the caller's duty: a structure of that size.
            let parameters: CK_ECDH1_DERIVE_PARAMS =
                unsafe { get(pointer.cast()) }.or(Err(invalid))?;
            let len = parameters.ulPublicDataLen;
            ensure(len <= MAX_PARAMETER as CK_ULONG, invalid.0)?;
            // SAFETY: the caller's duty.
            let public = unsafe { bytes(parameters.pPublicData, len) }.or(Err(invalid))?;
            let shared = parameters.ulSharedDataLen as usize;
            Parameter::Ecdh { kdf: parameters.kdf, shared, public: public.to_vec() }
        }
    };
    Ok(Mechanism { offer, parameter })
}

/// Text in a field of fixed size, filled with blanks.
pub(super) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    let len = text.len().min(N);
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
    field
}

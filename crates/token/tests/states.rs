//! Every function in the wrong state, with NULL, bad handles, short buffers and lengths beyond all
//! reason: called through the raw table, as a C program would.

#![allow(unsafe_code, reason = "a C program in Rust")]

mod support;

use std::{ptr, thread};

use cryptoki_sys::*;
use gmkit_token::codes::*;
use support::{PIN, SO_PIN, isolated, module};

const LABEL: &[u8; 32] = b"gmkit test                      ";

/// Calls a function of the module: `call!(module, C_GetInfo, pointer)`.
macro_rules! call {
    ($module:expr, $name:ident $(, $argument:expr)* $(,)?) => {
        // SAFETY: the module survives NULL and bad handles, which is what is tested; pointers that
        // are not NULL point to what the function expects.
        unsafe { $module.$name($($argument),*) }
    };
}

fn raw() -> Pkcs11 {
    // SAFETY: loading the module runs no code of its own.
    unsafe { Pkcs11::new(module()) }.unwrap()
}

fn initialised() -> Pkcs11 {
    let module = raw();
    assert_eq!(call!(module, C_Initialize, ptr::null_mut()), CKR_OK);
    module
}

fn bytes(text: &str) -> (*mut u8, CK_ULONG) {
    (text.as_ptr().cast_mut(), text.len() as CK_ULONG)
}

fn init_token(module: &Pkcs11) -> CK_RV {
    let (pin, len) = bytes(SO_PIN);
    call!(module, C_InitToken, 0, pin, len, LABEL.as_ptr().cast_mut())
}

fn open(module: &Pkcs11, flags: CK_FLAGS) -> CK_SESSION_HANDLE {
    let mut session = 0;
    let no_notify: CK_NOTIFY = None;
    let rv = call!(
        module,
        C_OpenSession,
        0,
        CKF_SERIAL_SESSION | flags,
        ptr::null_mut(),
        no_notify,
        &mut session
    );
    assert_eq!(rv, CKR_OK);
    assert_ne!(session, 0);
    session
}

fn login(module: &Pkcs11, session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: &str) -> CK_RV {
    let (pin, len) = bytes(pin);
    call!(module, C_Login, session, user, pin, len)
}

/// A token with both PINs, and a writable session of its user.
fn ready() -> (Pkcs11, CK_SESSION_HANDLE) {
    let module = initialised();
    assert_eq!(init_token(&module), CKR_OK);
    let session = open(&module, CKF_RW_SESSION);
    assert_eq!(login(&module, session, CKU_SO, SO_PIN), CKR_OK);
    let (pin, len) = bytes(PIN);
    assert_eq!(call!(module, C_InitPIN, session, pin, len), CKR_OK);
    assert_eq!(call!(module, C_Logout, session), CKR_OK);
    assert_eq!(login(&module, session, CKU_USER, PIN), CKR_OK);
    (module, session)
}

fn mechanism(code: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM { mechanism: code, pParameter: ptr::null_mut(), ulParameterLen: 0 }
}

fn attribute<T>(kind: CK_ATTRIBUTE_TYPE, value: &T) -> CK_ATTRIBUTE {
    let pointer = ptr::from_ref(value).cast_mut().cast();
    CK_ATTRIBUTE { type_: kind, pValue: pointer, ulValueLen: size_of::<T>() as CK_ULONG }
}

fn sm2_pair(module: &Pkcs11, session: CK_SESSION_HANDLE) -> (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
    let (mut public, mut private) = (0, 0);
    let mut generate = mechanism(CKM_SM2_KEY_PAIR_GEN);
    let none = ptr::null_mut();
    let rv = call!(
        module,
        C_GenerateKeyPair,
        session,
        &mut generate,
        none,
        0,
        none,
        0,
        &mut public,
        &mut private
    );
    assert_eq!(rv, CKR_OK);
    (public, private)
}

#[test]
fn both_tables_are_full() {
    isolated("both_tables_are_full", 1, || {
        let module = raw();
        let mut list = ptr::null_mut();
        assert_eq!(call!(module, C_GetFunctionList, &mut list), CKR_OK);
        assert_eq!(call!(module, C_GetFunctionList, ptr::null_mut()), CKR_ARGUMENTS_BAD);
        let pointers = |table: *const u8, count: usize| {
            // SAFETY: a table is a version, filled up to a pointer's size, and so many pointers.
            let words = unsafe { std::slice::from_raw_parts(table.cast::<usize>(), count + 1) };
            words[1..].iter().all(|pointer| *pointer != 0)
        };
        assert!(pointers(list.cast(), 68));
        let mut count = 0;
        assert_eq!(call!(module, C_GetInterfaceList, ptr::null_mut(), &mut count), CKR_OK);
        assert_eq!(count, 2);
        let mut interface = ptr::null_mut();
        let find = |version: *mut CK_VERSION, interface: &mut *mut CK_INTERFACE| {
            call!(module, C_GetInterface, ptr::null_mut(), version, interface, 0)
        };
        assert_eq!(find(ptr::null_mut(), &mut interface), CKR_OK);
        // SAFETY: just filled in.
        let table = unsafe { (*interface).pFunctionList };
        assert!(pointers(table.cast(), 92));
        let mut version = CK_VERSION { major: 2, minor: 40 };
        assert_eq!(find(&mut version, &mut interface), CKR_OK);
        version.minor = 41;
        assert_eq!(find(&mut version, &mut interface), CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn before_and_after_initialisation() {
    isolated("before_and_after_initialisation", 1, || {
        let module = raw();
        let mut info = CK_INFO::default();
        let uninitialised = CKR_CRYPTOKI_NOT_INITIALIZED;
        assert_eq!(call!(module, C_GetInfo, &mut info), uninitialised);
        assert_eq!(call!(module, C_Finalize, ptr::null_mut()), uninitialised);
        assert_eq!(call!(module, C_CloseSession, 1), uninitialised);

        let mut arguments =
            CK_C_INITIALIZE_ARGS { pReserved: ptr::dangling_mut(), ..Default::default() };
        let initialise = |arguments: &mut CK_C_INITIALIZE_ARGS| {
            call!(module, C_Initialize, ptr::from_mut(arguments).cast())
        };
        assert_eq!(initialise(&mut arguments), CKR_ARGUMENTS_BAD);
        unsafe extern "C" fn lock(_: *mut std::ffi::c_void) -> CK_RV {
            CKR_OK
        }
        unsafe extern "C" fn create(_: *mut *mut std::ffi::c_void) -> CK_RV {
            CKR_OK
        }
        arguments = CK_C_INITIALIZE_ARGS { LockMutex: Some(lock), ..Default::default() };
        assert_eq!(initialise(&mut arguments), CKR_ARGUMENTS_BAD);
        arguments.CreateMutex = Some(create);
        arguments.UnlockMutex = Some(lock);
        arguments.DestroyMutex = Some(lock);
        assert_eq!(initialise(&mut arguments), CKR_CANT_LOCK);
        arguments.flags = CKF_OS_LOCKING_OK;
        assert_eq!(initialise(&mut arguments), CKR_OK);
        assert_eq!(initialise(&mut arguments), CKR_CRYPTOKI_ALREADY_INITIALIZED);

        assert_eq!(call!(module, C_GetInfo, &mut info), CKR_OK);
        assert_eq!(call!(module, C_GetInfo, ptr::null_mut()), CKR_ARGUMENTS_BAD);
        assert_eq!(call!(module, C_Finalize, ptr::dangling_mut()), CKR_ARGUMENTS_BAD);
        assert_eq!(call!(module, C_Finalize, ptr::null_mut()), CKR_OK);
        assert_eq!(call!(module, C_GetInfo, &mut info), uninitialised);
        assert_eq!(call!(module, C_Initialize, ptr::null_mut()), CKR_OK);
    });
}

#[test]
fn slots_and_lists() {
    isolated("slots_and_lists", 3, || {
        let module = initialised();
        let mut count = 0;
        let list = |list: *mut CK_SLOT_ID, count: *mut CK_ULONG| {
            call!(module, C_GetSlotList, 1, list, count)
        };
        assert_eq!(list(ptr::null_mut(), &mut count), CKR_OK);
        assert_eq!(count, 3);
        assert_eq!(list(ptr::null_mut(), ptr::null_mut()), CKR_ARGUMENTS_BAD);
        let mut slots = [9; 3];
        count = 2;
        assert_eq!(list(slots.as_mut_ptr(), &mut count), CKR_BUFFER_TOO_SMALL);
        assert_eq!((count, slots), (3, [9; 3]));
        assert_eq!(list(slots.as_mut_ptr(), &mut count), CKR_OK);
        assert_eq!(slots, [0, 1, 2]);
        for slot in [3, CK_ULONG::MAX] {
            let mut info = CK_TOKEN_INFO::default();
            assert_eq!(call!(module, C_GetTokenInfo, slot, &mut info), CKR_SLOT_ID_INVALID);
        }
        let mut info = CK_MECHANISM_INFO::default();
        assert_eq!(call!(module, C_GetMechanismInfo, 0, CKM_SM2, &mut info), CKR_OK);
        assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (256, 256));
        let unknown = call!(module, C_GetMechanismInfo, 0, 0x8000_8104, &mut info);
        assert_eq!(unknown, CKR_MECHANISM_INVALID);
        let mut slot = 0;
        let event = call!(module, C_WaitForSlotEvent, CKF_DONT_BLOCK, &mut slot, ptr::null_mut());
        assert_eq!(event, CKR_NO_EVENT);
    });
}

#[test]
fn sessions_and_logins() {
    isolated("sessions_and_logins", 1, || {
        let module = initialised();
        let mut session = 0;
        let notify: CK_NOTIFY = None;
        let open_with = |flags, session: *mut CK_SESSION_HANDLE| {
            call!(module, C_OpenSession, 0, flags, ptr::null_mut(), notify, session)
        };
        // No token yet.
        assert_eq!(open_with(CKF_SERIAL_SESSION, &mut session), CKR_TOKEN_NOT_RECOGNIZED);
        assert_eq!(init_token(&module), CKR_OK);
        assert_eq!(open_with(0, &mut session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        assert_eq!(open_with(CKF_SERIAL_SESSION, ptr::null_mut()), CKR_ARGUMENTS_BAD);

        let reader = open(&module, 0);
        assert_eq!(login(&module, reader, CKU_USER, PIN), CKR_USER_PIN_NOT_INITIALIZED);
        assert_eq!(login(&module, reader, CKU_SO, SO_PIN), CKR_SESSION_READ_ONLY_EXISTS);
        assert_eq!(init_token(&module), CKR_SESSION_EXISTS);
        assert_eq!(call!(module, C_CloseSession, reader), CKR_OK);
        assert_eq!(call!(module, C_CloseSession, reader), CKR_SESSION_HANDLE_INVALID);

        let writer = open(&module, CKF_RW_SESSION);
        assert_eq!(login(&module, writer, 7, SO_PIN), CKR_USER_TYPE_INVALID);
        assert_eq!(login(&module, writer, CKU_SO, "wrong"), CKR_PIN_INCORRECT);
        assert_eq!(login(&module, writer, CKU_SO, SO_PIN), CKR_OK);
        assert_eq!(open_with(CKF_SERIAL_SESSION, &mut session), CKR_SESSION_READ_WRITE_SO_EXISTS);
        assert_eq!(login(&module, writer, CKU_SO, SO_PIN), CKR_USER_ALREADY_LOGGED_IN);
        let another = CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
        assert_eq!(login(&module, writer, CKU_USER, PIN), another);
        let set_pin = |text: &str| {
            let (pin, len) = bytes(text);
            call!(module, C_InitPIN, writer, pin, len)
        };
        assert_eq!(set_pin("123"), CKR_PIN_LEN_RANGE);
        assert_eq!(set_pin(PIN), CKR_OK);
        assert_eq!(call!(module, C_Logout, writer), CKR_OK);
        assert_eq!(call!(module, C_Logout, writer), CKR_USER_NOT_LOGGED_IN);
        assert_eq!(set_pin(PIN), CKR_USER_NOT_LOGGED_IN);

        let state = |session| {
            let mut info = CK_SESSION_INFO::default();
            assert_eq!(call!(module, C_GetSessionInfo, session, &mut info), CKR_OK);
            info.state
        };
        let reader = open(&module, 0);
        assert_eq!((state(reader), state(writer)), (CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
        assert_eq!(login(&module, reader, CKU_USER, PIN), CKR_OK);
        assert_eq!((state(reader), state(writer)), (CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS));
        let change = |session, old: &str, new: &str| {
            let ((old, old_len), (new, new_len)) = (bytes(old), bytes(new));
            call!(module, C_SetPIN, session, old, old_len, new, new_len)
        };
        assert_eq!(change(reader, PIN, "new pin"), CKR_SESSION_READ_ONLY);
        assert_eq!(change(writer, "wrong", "new pin"), CKR_PIN_INCORRECT);
        assert_eq!(change(writer, PIN, "new pin"), CKR_OK);
        assert_eq!(call!(module, C_CloseAllSessions, 0), CKR_OK);
        assert_eq!(call!(module, C_Logout, writer), CKR_SESSION_HANDLE_INVALID);
        let again = open(&module, 0);
        assert_eq!(state(again), CKS_RO_PUBLIC_SESSION, "the last session to close logs out");
        assert_eq!(login(&module, again, CKU_USER, PIN), CKR_PIN_INCORRECT);
        assert_eq!(login(&module, again, CKU_USER, "new pin"), CKR_OK);
    });
}

#[test]
fn signing_in_the_wrong_order() {
    isolated("signing_in_the_wrong_order", 1, || {
        let (module, session) = ready();
        let (public, private) = sm2_pair(&module, session);
        let mut e = [7; 32];
        let mut signature = [0xee; 64];
        let mut len: CK_ULONG = 64;
        let start = |code, key| {
            let mut mechanism = mechanism(code);
            call!(module, C_SignInit, session, &mut mechanism, key)
        };
        macro_rules! sign {
            ($data:expr, $data_len:expr, $out:expr, $len:expr) => {
                call!(module, C_Sign, session, $data, $data_len, $out, $len)
            };
        }
        assert_eq!(
            sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len),
            CKR_OPERATION_NOT_INITIALIZED
        );
        assert_eq!(call!(module, C_SignInit, session, ptr::null_mut(), private), CKR_ARGUMENTS_BAD);
        assert_eq!(start(0x1234_5678, private), CKR_MECHANISM_INVALID);
        assert_eq!(start(CKM_SM3, private), CKR_MECHANISM_INVALID);
        assert_eq!(start(CKM_SM2, 4711), CKR_KEY_HANDLE_INVALID);
        assert_eq!(start(CKM_SM2, public), CKR_KEY_TYPE_INCONSISTENT);
        assert_eq!(start(CKM_SM2, private), CKR_OK);
        assert_eq!(start(CKM_SM2, private), CKR_OPERATION_ACTIVE);

        // Asking for the length and too short a buffer leave the operation alone.
        assert_eq!(sign!(e.as_mut_ptr(), 32, ptr::null_mut(), &mut len), CKR_OK);
        assert_eq!(len, 64);
        len = 63;
        assert_eq!(
            sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len),
            CKR_BUFFER_TOO_SMALL
        );
        assert_eq!((len, signature), (64, [0xee; 64]));
        assert_eq!(sign!(ptr::null_mut(), 32, signature.as_mut_ptr(), &mut len), CKR_ARGUMENTS_BAD);
        assert_eq!(
            sign!(e.as_mut_ptr(), CK_ULONG::MAX, signature.as_mut_ptr(), &mut len),
            CKR_ARGUMENTS_BAD
        );
        assert_eq!(
            sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), ptr::null_mut()),
            CKR_ARGUMENTS_BAD
        );
        len = CK_ULONG::MAX; // an uninitialised length
        assert_eq!(sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len), CKR_OK);
        assert_eq!(len, 64);
        let over = CKR_OPERATION_NOT_INITIALIZED;
        assert_eq!(sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len), over);

        // A whole message does not end what has begun in pieces.
        assert_eq!(start(CKM_SM2_SM3, private), CKR_OK);
        assert_eq!(call!(module, C_SignUpdate, session, e.as_mut_ptr(), 32), CKR_OK);
        assert_eq!(
            sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len),
            CKR_OPERATION_ACTIVE
        );
        assert_eq!(call!(module, C_SignFinal, session, signature.as_mut_ptr(), &mut len), CKR_OK);

        // Logging out ends what the key was for.
        assert_eq!(start(CKM_SM2_SM3, private), CKR_OK);
        assert_eq!(call!(module, C_Logout, session), CKR_OK);
        assert_eq!(sign!(e.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut len), over);
        assert_eq!(start(CKM_SM2, private), CKR_KEY_HANDLE_INVALID, "and hides it");
        assert_eq!(call!(module, C_SessionCancel, session, CK_ULONG::MAX), CKR_OK);
    });
}

#[test]
fn templates_and_attributes() {
    isolated("templates_and_attributes", 1, || {
        let (module, session) = ready();
        let (public, private) = sm2_pair(&module, session);
        let mut handle = 0;
        let create = |template: &mut [CK_ATTRIBUTE], handle: *mut CK_OBJECT_HANDLE| {
            let count = template.len() as CK_ULONG;
            call!(module, C_CreateObject, session, template.as_mut_ptr(), count, handle)
        };
        let class = attribute(CKA_CLASS, &CKO_DATA);
        assert_eq!(create(&mut [], &mut handle), CKR_TEMPLATE_INCOMPLETE);
        assert_eq!(create(&mut [class], ptr::null_mut()), CKR_ARGUMENTS_BAD);
        assert_eq!(create(&mut [class, class], &mut handle), CKR_TEMPLATE_INCONSISTENT);
        let unknown = attribute(0x4000_0000, &1_u8);
        assert_eq!(create(&mut [class, unknown], &mut handle), CKR_ATTRIBUTE_TYPE_INVALID);
        let odd = attribute(CKA_TOKEN, &2_u8);
        assert_eq!(create(&mut [class, odd], &mut handle), CKR_ATTRIBUTE_VALUE_INVALID);
        let mut long = attribute(CKA_VALUE, &[0_u8; 8]);
        long.ulValueLen = CK_ULONG::MAX;
        assert_eq!(create(&mut [class, long], &mut handle), CKR_ATTRIBUTE_VALUE_INVALID);
        let missing = CK_ATTRIBUTE { type_: CKA_VALUE, pValue: ptr::null_mut(), ulValueLen: 8 };
        assert_eq!(create(&mut [class, missing], &mut handle), CKR_ATTRIBUTE_VALUE_INVALID);
        let huge = call!(
            module,
            C_CreateObject,
            session,
            [class].as_mut_ptr(),
            CK_ULONG::MAX,
            &mut handle
        );
        assert_eq!(huge, CKR_ARGUMENTS_BAD);

        let mut room = [0_u8; 80];
        let get = |object, kind, room: *mut u8, len: CK_ULONG| {
            let mut wanted = CK_ATTRIBUTE { type_: kind, pValue: room.cast(), ulValueLen: len };
            let rv = call!(module, C_GetAttributeValue, session, object, &mut wanted, 1);
            (rv, wanted.ulValueLen)
        };
        let none = CK_UNAVAILABLE_INFORMATION;
        assert_eq!(get(public, CKA_EC_POINT, ptr::null_mut(), 0), (CKR_OK, 67));
        assert_eq!(get(public, CKA_EC_POINT, room.as_mut_ptr(), 66), (CKR_BUFFER_TOO_SMALL, none));
        assert_eq!(get(public, CKA_EC_POINT, room.as_mut_ptr(), 80), (CKR_OK, 67));
        let sensitive = (CKR_ATTRIBUTE_SENSITIVE, none);
        assert_eq!(get(private, CKA_VALUE, room.as_mut_ptr(), 80), sensitive);
        let absent = (CKR_ATTRIBUTE_TYPE_INVALID, none);
        assert_eq!(get(private, CKA_MODULUS, room.as_mut_ptr(), 80), absent);
        assert_eq!(get(4711, CKA_CLASS, room.as_mut_ptr(), 80).0, CKR_OBJECT_HANDLE_INVALID);

        // The value of a hidden key cannot be found by asking for it.
        let mut known = attribute(CKA_VALUE, &[0_u8; 32]);
        assert_eq!(call!(module, C_FindObjectsInit, session, &mut known, 1), CKR_OK);
        let (mut found, mut count) = (0, 9);
        let search = |found: &mut CK_ULONG, count: *mut CK_ULONG| {
            call!(module, C_FindObjects, session, found, 1, count)
        };
        assert_eq!(search(&mut found, &mut count), CKR_OK);
        assert_eq!(count, 0);
        assert_eq!(search(&mut found, ptr::null_mut()), CKR_ARGUMENTS_BAD);
        let active = call!(module, C_FindObjectsInit, session, ptr::null_mut(), 0);
        assert_eq!(active, CKR_OPERATION_ACTIVE);
        assert_eq!(call!(module, C_FindObjectsFinal, session), CKR_OK);
        assert_eq!(call!(module, C_FindObjectsFinal, session), CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn readers_write_nothing_and_strangers_see_nothing() {
    isolated("readers_write_nothing_and_strangers_see_nothing", 1, || {
        let (module, session) = ready();
        let label = *b"mine";
        let mut template = [
            attribute(CKA_CLASS, &CKO_DATA),
            attribute(CKA_TOKEN, &1_u8),
            attribute(CKA_PRIVATE, &1_u8),
            attribute(CKA_LABEL, &label),
        ];
        let reader = open(&module, 0);
        let mut handle = 0;
        let create = |session, template: &mut [CK_ATTRIBUTE], handle: &mut CK_OBJECT_HANDLE| {
            let count = template.len() as CK_ULONG;
            call!(module, C_CreateObject, session, template.as_mut_ptr(), count, handle)
        };
        assert_eq!(create(reader, &mut template, &mut handle), CKR_SESSION_READ_ONLY);
        assert_eq!(create(session, &mut template, &mut handle), CKR_OK);
        assert_eq!(call!(module, C_DestroyObject, reader, handle), CKR_SESSION_READ_ONLY);

        let count_labels = || {
            let mut wanted = attribute(CKA_LABEL, &label);
            assert_eq!(call!(module, C_FindObjectsInit, reader, &mut wanted, 1), CKR_OK);
            let (mut found, mut count) = ([0; 4], 0);
            let rv = call!(module, C_FindObjects, reader, found.as_mut_ptr(), 4, &mut count);
            assert_eq!(rv, CKR_OK);
            assert_eq!(call!(module, C_FindObjectsFinal, reader), CKR_OK);
            count
        };
        assert_eq!(count_labels(), 1);
        assert_eq!(call!(module, C_Logout, session), CKR_OK);
        assert_eq!(count_labels(), 0);
        assert_eq!(call!(module, C_DestroyObject, session, handle), CKR_OBJECT_HANDLE_INVALID);
        template[2] = attribute(CKA_PRIVATE, &0_u8);
        assert_eq!(create(session, &mut template, &mut handle), CKR_USER_NOT_LOGGED_IN);
        template[1] = attribute(CKA_TOKEN, &0_u8);
        assert_eq!(create(session, &mut template, &mut handle), CKR_OK, "session objects are free");
        assert_eq!(count_labels(), 1, "and all sessions see them");
        assert_eq!(call!(module, C_CloseSession, session), CKR_OK);
        assert_eq!(count_labels(), 0, "as long as theirs is open");
    });
}

/// CKA_ALWAYS_AUTHENTICATE: the PIN for each use.
#[test]
fn keys_that_always_ask() {
    isolated("keys_that_always_ask", 1, || {
        let (module, session) = ready();
        let (mut public, mut private) = (0, 0);
        let mut generate = mechanism(CKM_SM2_KEY_PAIR_GEN);
        let mut asks = attribute(CKA_ALWAYS_AUTHENTICATE, &1_u8);
        let rv = call!(
            module,
            C_GenerateKeyPair,
            session,
            &mut generate,
            ptr::null_mut(),
            0,
            &mut asks,
            1,
            &mut public,
            &mut private
        );
        assert_eq!(rv, CKR_OK);
        let mut signature = [0; 64];
        let mut sign = || {
            let mut e = [1; 32];
            let mut len = 64;
            let out = signature.as_mut_ptr();
            call!(module, C_Sign, session, e.as_mut_ptr(), 32, out, &mut len)
        };
        let again = |pin| login(&module, session, CKU_CONTEXT_SPECIFIC, pin);
        assert_eq!(again(PIN), CKR_OPERATION_NOT_INITIALIZED);
        for _ in 0..2 {
            let mut mechanism = mechanism(CKM_SM2);
            assert_eq!(call!(module, C_SignInit, session, &mut mechanism, private), CKR_OK);
            assert_eq!(sign(), CKR_USER_NOT_LOGGED_IN);
            assert_eq!(again("wrong"), CKR_PIN_INCORRECT);
            assert_eq!(again(PIN), CKR_OK);
            assert_eq!(sign(), CKR_OK);
        }
    });
}

/// The length of a plaintext shows when it is decrypted: a buffer that holds it is enough, and no
/// question for a length is answered with 0, as the message would be left undecrypted.
#[test]
fn buffers_for_plaintexts() {
    isolated("buffers_for_plaintexts", 1, || {
        let (module, session) = ready();
        let mut key = 0;
        let mut generate = mechanism(CKM_SM4_KEY_GEN);
        let none = ptr::null_mut();
        assert_eq!(call!(module, C_GenerateKey, session, &mut generate, none, 0, &mut key), CKR_OK);
        let mut iv = [7_u8; 16];
        let mut cbc = CK_MECHANISM {
            mechanism: CKM_SM4_CBC_PAD,
            pParameter: iv.as_mut_ptr().cast(),
            ulParameterLen: 16,
        };
        for plaintext in [&b"five!"[..], b""] {
            let (mut sealed, mut len) = ([0; 16], 16);
            assert_eq!(call!(module, C_EncryptInit, session, &mut cbc, key), CKR_OK);
            let (data, data_len) = (plaintext.as_ptr().cast_mut(), plaintext.len() as CK_ULONG);
            let rv =
                call!(module, C_Encrypt, session, data, data_len, sealed.as_mut_ptr(), &mut len);
            assert_eq!((rv, len), (CKR_OK, 16));

            assert_eq!(call!(module, C_DecryptInit, session, &mut cbc, key), CKR_OK);
            let mut opened = [0xee; 8];
            let mut decrypt = |out: *mut u8, len: &mut CK_ULONG| {
                call!(module, C_Decrypt, session, sealed.as_mut_ptr(), 16, out, len)
            };
            assert_eq!(decrypt(ptr::null_mut(), &mut len), CKR_OK);
            assert!(len >= 1);
            if !plaintext.is_empty() {
                len = data_len - 1;
                assert_eq!(decrypt(opened.as_mut_ptr(), &mut len), CKR_BUFFER_TOO_SMALL);
                assert_eq!((len, opened), (data_len, [0xee; 8]));
            }
            len = data_len;
            assert_eq!(decrypt(opened.as_mut_ptr(), &mut len), CKR_OK);
            assert_eq!(&opened[..len as usize], plaintext);
            len = 8;
            assert_eq!(decrypt(opened.as_mut_ptr(), &mut len), CKR_OPERATION_NOT_INITIALIZED);
        }
    });
}

/// Sessions opened, used and closed by eight threads while another one finalises the module again
/// and again: errors, but no crash and no deadlock.
#[test]
fn finalised_in_the_middle() {
    isolated("finalised_in_the_middle", 1, || {
        let (module, _) = ready();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..400 {
                        let mut session = 0;
                        let notify: CK_NOTIFY = None;
                        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
                        let none = ptr::null_mut();
                        call!(module, C_OpenSession, 0, flags, none, notify, &mut session);
                        let mut digest = mechanism(CKM_SM3);
                        call!(module, C_DigestInit, session, &mut digest);
                        let (mut data, mut out, mut len) = ([1; 100], [0; 32], 32);
                        let out = out.as_mut_ptr();
                        call!(module, C_Digest, session, data.as_mut_ptr(), 100, out, &mut len);
                        call!(module, C_FindObjectsInit, session, ptr::null_mut(), 0);
                        call!(module, C_CloseSession, session);
                    }
                });
            }
            for _ in 0..50 {
                thread::sleep(std::time::Duration::from_millis(2));
                call!(module, C_Finalize, ptr::null_mut());
                call!(module, C_Initialize, ptr::null_mut());
            }
        });
        let session = open(&module, 0);
        assert_eq!(login(&module, session, CKU_USER, PIN), CKR_OK);
    });
}

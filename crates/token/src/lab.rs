//! The lab build, `libgmkit_token_lab.so`: the token in the guise of a vendor's module, and with that
//! vendor's faults. For tests of what drives devices; never packaged.
//!
//! `GMKIT_LAB_PERSONA` names the vendor. The numbers here are from public headers, and are written
//! down a second time: profiles that are checked against themselves prove nothing.
//!
//! `GMKIT_LAB_FAULTS` names a file with one word in it that is read at every call:
//! `removed` (the device is gone, and its sessions with it), `broken` (CKR_DEVICE_ERROR), `slow`
//! (200 ms per call), `hang` (8 seconds), `lies` (signatures are wrong); anything else, or no file, is a device that works. With
//! the number of a slot behind the word, it is that slot's fault alone.

use std::{env, fs, sync::OnceLock, thread, time::Duration};

use cryptoki_sys::*;

use crate::{
    codes::{Algorithm as A, Block, Curve, Form, Hash, Layout, Mode, OFFERS, Offer, SecretKind},
    persona::{Persona, Point},
    rv::{Result, fail},
};

/// In every lab build, and in nothing that is released.
#[used]
static MARK: [u8; 37] = *b"gmkit token lab build: not to release";

const PAIR: CK_FLAGS = CKF_GENERATE_KEY_PAIR;
const SIGN: CK_FLAGS = CKF_SIGN | CKF_VERIFY;
const CIPHER: CK_FLAGS = CKF_ENCRYPT | CKF_DECRYPT;

/// One SM2 mechanism of a vendor's: its number, what it does, the form of its signatures.
type Row = (CK_MECHANISM_TYPE, A, Form, CK_FLAGS);

/// A vendor, as told.
struct Vendor {
    name: &'static str,
    manufacturer: &'static str,
    description: &'static str,
    key_types: (CK_KEY_TYPE, CK_KEY_TYPE),
    rows: &'static [Row],
    /// Sizes in bytes where others tell bits.
    bytes: bool,
    wants_curve: bool,
    shows_curve: bool,
    point: Point,
    /// Most bytes of one call.
    frame: Option<CK_ULONG>,
}

const E: A = A::Raw(Curve::Sm2);
const GENERATE: A = A::GeneratePair(Curve::Sm2);
const V: CK_MECHANISM_TYPE = CKM_VENDOR_DEFINED;

const VENDORS: &[Vendor] = &[
    // A device that hashes without Z in two encodings, and with Z in two; whose DER loses zeros.
    Vendor {
        name: "sansec",
        manufacturer: "sansec",
        description: "",
        key_types: (V + 4, V + 0x106),
        rows: &[
            (V + 0x8001, GENERATE, Form::Raw, PAIR),
            (V + 0x8104, E, Form::BrokenDer, SIGN),
            (V + 0x8105, E, Form::Raw, SIGN),
            (V + 0x8100, A::Sm2MessageWithoutZ, Form::Raw, SIGN),
            (V + 0x8103, A::Sm2Message, Form::BrokenDer, SIGN),
            (V + 0x8200, A::Sm2Encryption(Layout::C1C3C2Bare), Form::Raw, CIPHER),
            (V + 0x9001, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
            (V + 0x107, A::Generate(SecretKind::Sm4), Form::Raw, CKF_GENERATE),
            (V + 0x108, A::Cipher(Block::Sm4, Mode::Ecb), Form::Raw, CIPHER),
            (V + 0x109, A::Cipher(Block::Sm4, Mode::Cbc), Form::Raw, CIPHER),
        ],
        bytes: true,
        wants_curve: false,
        shows_curve: false,
        point: Point::Der,
        frame: None,
    },
    // The same vendor, but for the mechanism that signs e: the device must hash, without Z.
    Vendor {
        name: "sansec-without-e",
        manufacturer: "Sansec Technology",
        description: "",
        key_types: (V + 4, V + 0x106),
        rows: &[
            (V + 0x8001, GENERATE, Form::Raw, PAIR),
            (V + 0x8101, A::Sm2MessageWithoutZ, Form::Der, SIGN),
            (V + 0x8201, A::Sm2Encryption(Layout::Der), Form::Raw, CIPHER),
        ],
        bytes: true,
        wants_curve: false,
        shows_curve: false,
        point: Point::Bare,
        frame: None,
    },
    Vendor {
        name: "tass",
        manufacturer: "TASS in Security",
        description: "PKCS#11 Library",
        key_types: (V + 4, V + 2),
        rows: &[
            (V + 0x8001, GENERATE, Form::Raw, PAIR),
            (V + 0x8000, E, Form::Der, SIGN),
            (V + 0x8200, A::Sm2Encryption(Layout::C1C2C3), Form::Raw, CIPHER),
            (V + 5, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
            (V + 0x107, A::Generate(SecretKind::Sm4), Form::Raw, CKF_GENERATE),
            (V + 0x108, A::Cipher(Block::Sm4, Mode::Ecb), Form::Raw, CIPHER),
            (V + 0x109, A::Cipher(Block::Sm4, Mode::Cbc), Form::Raw, CIPHER),
            (V + 0x10c, A::Cipher(Block::Sm4, Mode::CbcPad), Form::Raw, CIPHER),
            (V + 0x10a, A::Cmac(Block::Sm4), Form::Raw, SIGN),
        ],
        bytes: true,
        wants_curve: false,
        shows_curve: false,
        point: Point::Coordinates,
        frame: Some(8192),
    },
    // A device that hashes by itself, with Z: only the default ID can be had.
    Vendor {
        name: "koal-with-z",
        manufacturer: "KOAL Software",
        description: "",
        key_types: (V + 4, V + 2),
        rows: &[
            (V + 0x8001, GENERATE, Form::Raw, PAIR),
            (V + 0x8100, A::Sm2Message, Form::Raw, SIGN),
            (V + 0x8200, A::Sm2Encryption(Layout::C1C3C2), Form::Raw, CIPHER),
            (V + 6, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
            (V + 0x107, A::Generate(SecretKind::Sm4), Form::Raw, CKF_GENERATE),
            (V + 0x108, A::Cipher(Block::Sm4, Mode::Ecb), Form::Raw, CIPHER),
            (V + 0x10f, A::Cipher(Block::Sm4, Mode::Gcm), Form::Raw, CIPHER),
        ],
        bytes: false,
        wants_curve: false,
        shows_curve: true,
        point: Point::Der,
        frame: None,
    },
    Vendor {
        name: "luna",
        manufacturer: "SafeNet",
        description: "Chrystoki",
        key_types: (V + 0x16, V + 0x15),
        rows: &[
            (V + 0xb20, GENERATE, Form::Raw, PAIR),
            (V + 0xb21, E, Form::Raw, SIGN),
            (V + 0xb22, A::Sm2MessageWithoutZ, Form::Raw, SIGN),
            (V + 0xb01, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
            (V + 0xb02, A::Hmac(Hash::Sm3), Form::Raw, SIGN),
        ],
        bytes: false,
        wants_curve: true,
        shows_curve: true,
        point: Point::Der,
        frame: None,
    },
    Vendor {
        name: "ep11",
        manufacturer: "IBM",
        description: "GREP11",
        key_types: (V + 0x50002, V + 0x50001),
        rows: &[
            (V + 0x5000a, GENERATE, Form::Raw, PAIR),
            (V + 0x5000b, E, Form::Raw, SIGN),
            (V + 0x5000d, A::Sm2Encryption(Layout::C1C3C2), Form::Raw, CIPHER),
            (V + 0x5000e, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
        ],
        bytes: false,
        wants_curve: true,
        shows_curve: true,
        point: Point::Der,
        frame: None,
    },
    Vendor {
        name: "westone",
        manufacturer: "Westone",
        description: "",
        key_types: (V + 1, V + 5),
        rows: &[
            (V + 3, GENERATE, Form::Raw, PAIR),
            (V + 4, E, Form::Raw, SIGN),
            (V + 0x1f, A::Digest(Hash::Sm3), Form::Raw, CKF_DIGEST),
        ],
        bytes: false,
        wants_curve: false,
        shows_curve: true,
        point: Point::Bare,
        frame: None,
    },
    // One that signs what nobody can verify: another digest than it was given.
    Vendor {
        name: "broken",
        manufacturer: "sansec",
        description: "",
        key_types: (V + 4, V + 0x106),
        rows: &[(V + 0x8001, GENERATE, Form::Raw, PAIR), (V + 0x8104, E, Form::Wrong, SIGN)],
        bytes: true,
        wants_curve: false,
        shows_curve: true,
        point: Point::Der,
        frame: None,
    },
];

/// The vendor that the environment names.
fn vendor() -> Option<&'static Vendor> {
    static CHOSEN: OnceLock<Option<&Vendor>> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = env::var("GMKIT_LAB_PERSONA").ok()?;
        VENDORS.iter().find(|vendor| vendor.name == name)
    })
}

/// The persona that the environment names; `None` for the plain token.
pub(crate) fn persona() -> Option<&'static Persona> {
    static CHOSEN: OnceLock<Option<Persona>> = OnceLock::new();
    CHOSEN.get_or_init(|| vendor().map(dress)).as_ref()
}

/// Refuses a buffer that is longer than what the vendor's devices take in one call.
pub(crate) fn frame(len: CK_ULONG) -> Result {
    match vendor().and_then(|vendor| vendor.frame) {
        Some(most) if len > most => fail(CKR_DATA_LEN_RANGE),
        _ => Ok(()),
    }
}

/// The vendor's mechanisms, and those of the standard.
fn dress(vendor: &'static Vendor) -> Persona {
    let own = vendor.rows.iter().map(|(code, algorithm, form, flags)| {
        let size = match algorithm {
            A::Generate(_) | A::Cipher(..) | A::Cmac(_) => 16,
            A::Digest(_) => 0,
            _ if vendor.bytes => 32,
            _ => 256,
        };
        Offer {
            code: *code,
            algorithm: *algorithm,
            form: *form,
            sizes: (size, size),
            flags: *flags,
        }
    });
    let standard = OFFERS.iter().filter(|offer| offer.code < CKM_VENDOR_DEFINED).copied();
    let offers: Vec<Offer> = own.chain(standard).collect();
    Persona {
        manufacturer: vendor.manufacturer,
        description: vendor.description,
        sm2_key_type: vendor.key_types.0,
        sm4_key_type: vendor.key_types.1,
        // Once per process.
        offers: offers.leak(),
        wants_curve: vendor.wants_curve,
        shows_curve: vendor.shows_curve,
        point: vendor.point,
    }
}

/// Whether the file of faults says `lies`: signatures are wrong from now on.
pub(crate) fn lies() -> bool {
    let path = env::var_os("GMKIT_LAB_FAULTS");
    path.is_some_and(|path| fs::read_to_string(path).is_ok_and(|text| text.trim() == "lies"))
}

/// What the file of faults says, before every call; `slot` is the one that the call is for, if it
/// is for one. A number behind the word makes it that slot's fault alone. `lose` drops sessions.
pub(crate) fn fault(slot: Option<CK_SLOT_ID>, lose: impl FnOnce() -> Result) -> Result {
    let Some(path) = env::var_os("GMKIT_LAB_FAULTS") else { return Ok(()) };
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut words = text.split_whitespace();
    let (word, only) = (words.next().unwrap_or_default(), words.next());
    let only = only.and_then(|number| number.parse().ok());
    if only != slot {
        return Ok(());
    }
    match word {
        "removed" => lose().and(fail(CKR_DEVICE_REMOVED)),
        "broken" => fail(CKR_DEVICE_ERROR),
        "slow" => {
            thread::sleep(Duration::from_millis(200));
            Ok(())
        }
        "hang" => {
            thread::sleep(Duration::from_secs(8));
            fail(CKR_DEVICE_ERROR)
        }
        _ => Ok(()),
    }
}

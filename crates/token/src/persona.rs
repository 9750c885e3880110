//! What the module says it is: its strings, its numbers, its habits. There is one, but for the lab
//! build, which can pass for a vendor's module (`lab`).

use cryptoki_sys::{CK_KEY_TYPE, CK_MECHANISM_TYPE};

use crate::codes::{CKK_SM2, CKK_SM4, OFFERS, Offer};

/// A module as its clients see it.
pub(crate) struct Persona {
    pub(crate) manufacturer: &'static str,
    pub(crate) description: &'static str,
    pub(crate) sm2_key_type: CK_KEY_TYPE,
    pub(crate) sm4_key_type: CK_KEY_TYPE,
    pub(crate) offers: &'static [Offer],
    /// Whether templates of SM2 key pairs must name the curve.
    pub(crate) wants_curve: bool,
    /// Whether keys show the name of their curve.
    pub(crate) shows_curve: bool,
    /// How CKA_EC_POINT is shown.
    pub(crate) point: Point,
}

/// Forms of CKA_EC_POINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// In an OCTET STRING, as the standard has it.
    Der,
    /// 04 ‖ X ‖ Y.
    #[cfg(feature = "lab")]
    Bare,
    /// X ‖ Y.
    #[cfg(feature = "lab")]
    Coordinates,
}

static PLAIN: Persona = Persona {
    manufacturer: "gmkit",
    description: "gmkit software token",
    sm2_key_type: CKK_SM2,
    sm4_key_type: CKK_SM4,
    offers: OFFERS,
    wants_curve: false,
    shows_curve: true,
    point: Point::Der,
};

/// The persona of this process.
pub(crate) fn current() -> &'static Persona {
    #[cfg(feature = "lab")]
    if let Some(persona) = crate::lab::persona() {
        return persona;
    }
    &PLAIN
}

impl Persona {
    /// The offer with this number.
    pub(crate) fn offer(&self, code: CK_MECHANISM_TYPE) -> Option<&'static Offer> {
        self.offers.iter().find(|offer| offer.code == code)
    }

    /// CKA_EC_POINT as it is shown.
    pub(crate) fn show_point<'p>(&self, der: &'p [u8]) -> &'p [u8] {
        match self.point {
            Point::Der => der,
            #[cfg(feature = "lab")]
            Point::Bare => der.get(2..).unwrap_or(der),
            #[cfg(feature = "lab")]
            Point::Coordinates => der.get(3..).unwrap_or(der),
        }
    }
}

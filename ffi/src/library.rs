//! The library itself: version, backends, self-test, random numbers.

use std::ffi::{CStr, c_char};

use toolkit::{
    keys::{SysRng, selftest},
    rng,
    sm2::{self, rand_core::TryRng},
    sm3, sm4,
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    pointer::Out,
};

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL byte"),
    };

/// For `gmkit_backend`: the SM2 arithmetic.
pub const GMKIT_ALGORITHM_SM2: u32 = 2;
/// For `gmkit_backend`: the SM3 compression function.
pub const GMKIT_ALGORITHM_SM3: u32 = 3;
/// For `gmkit_backend`: the SM4 block function.
pub const GMKIT_ALGORITHM_SM4: u32 = 4;

/// Backend names as C strings.
fn c_name(name: &str) -> &'static CStr {
    const NAMES: &[&CStr] = &[
        c"portable",
        c"gfni-avx512",
        c"gfni-avx2",
        c"aesni-avx2",
        c"aesni",
        c"sm4e",
        c"aes-neon",
        c"neon",
        c"sm3",
        c"avx512",
        c"avx2",
        c"ifma",
        c"adx",
        c"saturated",
    ];
    let named = |c: &&&CStr| c.to_bytes() == name.as_bytes();
    NAMES.iter().find(named).copied().unwrap_or(c"unnamed")
}

const EMPTY: *const c_char = c"".as_ptr();
const NO_NAME: *const c_char = std::ptr::null();

export! {
    /// The library's version, as "0.1.0". Never NULL.
    fn gmkit_version() -> *const c_char = EMPTY {
        VERSION.as_ptr()
    }

    /// Number of the ABI: the same as in the library's SONAME. A program that was compiled with
    /// GMKIT_ABI_VERSION n works with a library that says n.
    fn gmkit_abi_version() -> u32 = 0 {
        GMKIT_ABI_VERSION
    }

    /// Name of the backend that computes an algorithm (GMKIT_ALGORITHM_SM2, _SM3, _SM4) on this
    /// machine, as "portable". NULL for an unknown algorithm.
    fn gmkit_backend(algorithm: u32) -> *const c_char = NO_NAME {
        let name = match algorithm {
            GMKIT_ALGORITHM_SM2 => sm2::backend(),
            GMKIT_ALGORITHM_SM3 => sm3::backend(),
            GMKIT_ALGORITHM_SM4 => sm4::backend(),
            _ => return NO_NAME,
        };
        c_name(name).as_ptr()
    }

    /// Runs the known-answer test of every algorithm and a pairwise test on a fresh SM2 key.
    /// Programs need not call it: each algorithm is tested before its first use anyway.
    ///
    /// Errors: GMKIT_ERR_SELF_TEST, with the failed test in the message. After that nothing works
    /// any more in this process.
    fn gmkit_selftest() {
        selftest::record("DRNG", rng::selftest())?;
        match selftest::run_all().iter().find(|(_, passed)| !passed) {
            None => Ok(()),
            Some((test, _)) => Err(Fault::new(
                gmkit_error::GMKIT_ERR_SELF_TEST,
                format!("self-test failed: {test}"),
            )),
        }
    }

    /// Fills `out` with `len` bytes from the operating system's generator, fit for keys and nonces.
    ///
    /// Errors: GMKIT_ERR_RANDOM; `out` is then filled with zero bytes, which is an exception to
    /// the rule that outputs stay untouched.
    fn gmkit_random(out: Out, len: usize) {
        let out = out.fill(len)?;
        SysRng.try_fill_bytes(out).map_err(|_| {
            out.fill(0);
            Fault::new(gmkit_error::GMKIT_ERR_RANDOM, "the random number generator failed")
        })
    }
}

/// The ABI that a program was compiled for. See `gmkit_abi_version`.
pub const GMKIT_ABI_VERSION: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_has_a_name_in_c() {
        let all = sm2::backends().chain(sm3::backends()).chain(sm4::backends());
        for (name, _) in all {
            assert_eq!(c_name(name).to_str(), Ok(name));
        }
    }

    #[test]
    fn every_backend_has_a_name() {
        for (name, _) in sm2::backends().chain(sm3::backends()).chain(sm4::backends()) {
            assert_eq!(c_name(name).to_str(), Ok(name));
        }
    }
}

//! `pkcs11:` URIs for a [`gmkit_keys::KeyRegistry`].

use std::{env, path::PathBuf, sync::Arc};

use gmkit_keys::{KeyOpener, KeyUri, PassphraseSource, PrivateKey, SecretKey, SecretUse};

use crate::{
    Checks, DeviceKey, DeviceSecret, Error, KeyName, Module, Profiles, SecretType, SharedKey,
    Token, Uri,
};

/// Names the module where a URI does not: the operator's environment.
const MODULE: &str = "GMKIT_PKCS11_MODULE";

/// Opens keys in devices. A registry passes it the operator's URIs only.
#[derive(Clone, Debug)]
pub struct Opener {
    profiles: Profiles,
    module: Option<PathBuf>,
    profile: Option<String>,
    checks: Checks,
}

impl Default for Opener {
    fn default() -> Self {
        Self::new()
    }
}

impl Opener {
    /// With the embedded profiles, and the module that `GMKIT_PKCS11_MODULE` names where a URI has
    /// no `module-path`.
    #[must_use]
    pub fn new() -> Self {
        let module = env::var_os(MODULE).map(PathBuf::from);
        Self { profiles: Profiles::embedded(), module, profile: None, checks: Checks::default() }
    }

    /// Takes other profiles.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Profiles) -> Self {
        self.profiles = profiles;
        self
    }

    /// The module for URIs that name none.
    #[must_use]
    pub fn with_module(mut self, path: impl Into<PathBuf>) -> Self {
        self.module = Some(path.into());
        self
    }

    /// Forces a profile for URIs that name none.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// How much devices are believed, for URIs that do not say.
    #[must_use]
    pub fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// The profiles.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The module that a URI needs, loaded.
    ///
    /// # Errors
    /// [`Error::NoModule`], [`Error::Load`], [`Error::Device`].
    pub fn module(&self, uri: &Uri) -> Result<Arc<Module>, Error> {
        let path = uri.module_path.as_ref().or(self.module.as_ref()).ok_or(Error::NoModule)?;
        let profile = uri.profile.as_deref().or(self.profile.as_deref());
        Module::load(path, &self.profiles, profile)
    }

    /// The token that a URI names, with its user logged in.
    ///
    /// # Errors
    /// As [`Opener::module`], [`Module::token`] and [`Token::log_in`].
    pub fn token(&self, uri: &Uri, passphrase: &dyn PassphraseSource) -> Result<Arc<Token>, Error> {
        let token = self.module(uri)?.token(uri)?;
        token.log_in(uri, passphrase)?;
        Ok(token)
    }
}

impl Opener {
    /// All tokens that a URI names, each with its user logged in; a device that refuses is told of,
    /// and may come back.
    ///
    /// # Errors
    /// As [`Opener::module`]; [`Error::NotFound`] for none.
    pub fn tokens(
        &self,
        uri: &Uri,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Vec<Arc<Token>>, Error> {
        let tokens = self.module(uri)?.tokens(uri)?;
        if tokens.is_empty() {
            return Err(Error::NotFound { what: "token" });
        }
        // Once for all of them: a pipe can be read once, and a person is not asked twice.
        let pin = uri.pin(uri.token.as_deref().unwrap_or("of several devices"), passphrase)?;
        for token in &tokens {
            match token.log_in_with(pin.clone()) {
                Err(error @ (Error::Device { .. } | Error::PinRefused)) => {
                    tracing::warn!(%error, token = token.label(), "no login");
                }
                done => done?,
            }
        }
        Ok(tokens)
    }
}

impl KeyOpener for Opener {
    fn scheme(&self) -> &'static str {
        "pkcs11"
    }

    fn open_private(
        &self,
        uri: &KeyUri,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn PrivateKey>, gmkit_keys::Error> {
        let uri = Uri::parse(uri)?;
        let checks = uri.checks.unwrap_or(self.checks);
        if uri.failover == Some(true) {
            let tokens = self.tokens(&uri, passphrase)?;
            return Ok(Arc::new(SharedKey::open_with(&tokens, &KeyName::of(&uri), checks)?));
        }
        let token = self.token(&uri, passphrase)?;
        Ok(Arc::new(DeviceKey::open_with(&token, KeyName::of(&uri), checks)?))
    }

    fn open_secret(
        &self,
        uri: &KeyUri,
        for_what: SecretUse,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn SecretKey>, gmkit_keys::Error> {
        let uri = Uri::parse(uri)?;
        let token = self.token(&uri, passphrase)?;
        let key = DeviceSecret::open(&token, KeyName::of(&uri))?;
        let operation = match (for_what, key.kind()) {
            (SecretUse::Seal, SecretType::Sm4) | (SecretUse::Mac, SecretType::HmacSm3) => {
                return Ok(Arc::new(key));
            }
            (SecretUse::Seal, _) => "seal: it is no SM4 key",
            (SecretUse::Mac, _) => "authenticate: it is no HMAC-SM3 key",
        };
        Err(gmkit_keys::Error::Unsupported { operation })
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::{KeyRegistry, Origin};

    use super::*;

    /// No module is loaded, and no file read: the library that is named does not exist, and nobody
    /// complains of that.
    #[test]
    fn an_untrusted_uri_does_not_get_here() {
        let keys = KeyRegistry::new().with(Opener::new());
        for text in ["pkcs11:?module-path=/nonexistent.so", "pkcs11:object=ca"] {
            let uri = KeyUri::parse(text, Origin::Untrusted).unwrap();
            let opened = keys.open_private(&uri, &|_: &str| unreachable!("no PIN is asked for"));
            assert!(matches!(opened, Err(gmkit_keys::Error::UntrustedUri)), "{text}");
        }
        let uri = KeyUri::parse("pkcs11:?module-path=/nonexistent.so", Origin::Operator).unwrap();
        let opened = keys.open_private(&uri, &|_: &str| unreachable!());
        assert!(matches!(opened, Err(gmkit_keys::Error::Device(_))));
    }
}

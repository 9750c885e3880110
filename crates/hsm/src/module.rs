//! Loaded modules. Each is loaded and initialised once per process, and stays.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::RvError,
    mechanism::MechanismType,
    slot::{Slot, SlotInfo as CkSlotInfo, TokenInfo},
};

use crate::{Error, Profile, Profiles, Token, Uri, raw::Functions};

/// A PKCS#11 module, with the profile that says how its vendor does things.
pub struct Module {
    pub(crate) pkcs11: Pkcs11,
    pub(crate) functions: Functions,
    pub(crate) profile: Profile,
    path: PathBuf,
    /// One [`Token`] per slot, as a login is one per process.
    tokens: Mutex<HashMap<u64, Arc<Token>>>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Module({}, {})", self.path.display(), self.profile.name)
    }
}

/// A slot, and the token in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its number.
    pub id: u64,
    /// What it says of itself.
    pub description: String,
    /// The token; `None` where there is none, or the slot does not tell.
    pub token: Option<TokenInfo>,
}

/// The modules of this process, by the files they are.
static MODULES: Mutex<Vec<(PathBuf, Arc<Module>)>> = Mutex::new(Vec::new());

impl Module {
    /// Loads a module, or gives the one that is loaded. `profile` forces a profile by its name.
    ///
    /// **Loading runs the library's code**: the path must be the operator's. A program that has
    /// initialised the module before must have done so with `CKF_OS_LOCKING_OK`, as this does: it is
    /// called from many threads.
    ///
    /// # Errors
    /// [`Error::Load`], [`Error::Device`], [`Error::Profile`] for a profile that is not there.
    pub fn load(
        path: &Path,
        profiles: &Profiles,
        profile: Option<&str>,
    ) -> Result<Arc<Self>, Error> {
        let file = fs::canonicalize(path)
            .map_err(|error| Error::Load { path: path.to_owned(), reason: error.to_string() })?;
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, module)) = modules.iter().find(|(path, _)| *path == file) {
            // One login and one set of sessions per token: so one profile per module.
            let wanted = module.choose(profiles, profile)?;
            if wanted != module.profile {
                let reason = format!("the module is in use with {}", module.profile.name);
                return Err(Error::Profile { reason });
            }
            return Ok(Arc::clone(module));
        }
        let module = Arc::new(Self::load_now(&file, profiles, profile)?);
        modules.push((file, Arc::clone(&module)));
        Ok(module)
    }

    fn load_now(path: &Path, profiles: &Profiles, forced: Option<&str>) -> Result<Self, Error> {
        let pkcs11 = Pkcs11::new(path)
            .map_err(|error| Error::Load { path: path.to_owned(), reason: error.to_string() })?;
        match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Whoever initialised it will finalise it.
            Ok(())
            | Err(cryptoki::error::Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(Error::of("C_Initialize")(error)),
        }
        let functions = Functions::of(path)?;
        let profile = choose(&pkcs11, path, profiles, forced)?;
        tracing::debug!(profile = profile.name, "PKCS#11 module loaded");
        Ok(Self { pkcs11, functions, profile, path: path.to_owned(), tokens: Mutex::default() })
    }

    fn choose(&self, profiles: &Profiles, forced: Option<&str>) -> Result<Profile, Error> {
        choose(&self.pkcs11, &self.path, profiles, forced)
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The library's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Manufacturer and description that the library gives of itself, and its version.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn describe(&self) -> Result<(String, String, String), Error> {
        let info = self.pkcs11.get_library_info().map_err(Error::of("C_GetInfo"))?;
        let version = info.library_version();
        Ok((
            info.manufacturer_id().to_owned(),
            info.library_description().to_owned(),
            format!("{}.{}", version.major(), version.minor()),
        ))
    }

    /// All slots.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn slots(&self) -> Result<Vec<SlotInfo>, Error> {
        let slots = self.pkcs11.get_all_slots().map_err(Error::of("C_GetSlotList"))?;
        // A slot whose device is gone does not hide the others.
        let info = |slot: Slot| SlotInfo {
            id: slot.id(),
            description: self
                .pkcs11
                .get_slot_info(slot)
                .map(|info| CkSlotInfo::slot_description(&info).to_owned())
                .unwrap_or_default(),
            token: self.pkcs11.get_token_info(slot).ok(),
        };
        Ok(slots.into_iter().map(info).collect())
    }

    /// Which mechanisms of its profile the token in a slot has: asked one by one, as the list of a
    /// module is not always whole.
    ///
    /// # Errors
    /// [`Error::Device`], but for what says that a mechanism is not there.
    pub fn mechanisms(&self, slot: u64) -> Result<Vec<(&'static str, u64, bool)>, Error> {
        let slot = self.slot(slot)?;
        let offered = |(what, code)| Ok((what, code, self.offers(slot, code)?));
        self.profile.mechanisms().into_iter().map(offered).collect()
    }

    /// Whether the token in a slot has a mechanism, of the standard's or a vendor's.
    pub(crate) fn offers(&self, slot: Slot, code: u64) -> Result<bool, Error> {
        let kind = MechanismType::try_from(code)
            .or_else(|_| MechanismType::new_vendor_defined(code))
            .map_err(Error::of("profile"))?;
        match self.pkcs11.get_mechanism_info(slot, kind) {
            Ok(_) => Ok(true),
            Err(cryptoki::error::Error::Pkcs11(RvError::MechanismInvalid, _)) => Ok(false),
            Err(error) => Err(Error::of("C_GetMechanismInfo")(error)),
        }
    }

    fn slot(&self, id: u64) -> Result<Slot, Error> {
        let slots = self.pkcs11.get_all_slots().map_err(Error::of("C_GetSlotList"))?;
        slots.into_iter().find(|slot| slot.id() == id).ok_or(Error::NotFound { what: "slot" })
    }

    /// Makes a token in a slot: the first one without a token, where none is named.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::NotFound`].
    pub fn init_token(
        &self,
        slot: Option<u64>,
        label: &str,
        officer_pin: &gmkit_keys::Passphrase,
        user_pin: &gmkit_keys::Passphrase,
    ) -> Result<u64, Error> {
        let fresh =
            |slot: &SlotInfo| slot.token.as_ref().is_some_and(|token| !token.token_initialized());
        let slot = match slot {
            Some(id) => self.slot(id)?,
            None => {
                let id = self.slots()?.iter().find(|slot| fresh(slot)).map(|slot| slot.id);
                self.slot(id.ok_or(Error::NotFound { what: "slot without a token" })?)?
            }
        };
        // All that can be wrong here comes before anything is changed there.
        let (officer, user) = (crate::token::pin(officer_pin)?, crate::token::pin(user_pin)?);
        if label.is_empty() || label.len() > 32 {
            return Err(Error::Uri { reason: "a token's label has 1 to 32 bytes" });
        }
        self.pkcs11.init_token(slot, &officer, label).map_err(Error::of("C_InitToken"))?;
        let session = self.pkcs11.open_rw_session(slot).map_err(Error::of("C_OpenSession"))?;
        let so = cryptoki::session::UserType::So;
        session.login(so, Some(&officer)).map_err(Error::of("C_Login"))?;
        session.init_pin(&user).map_err(Error::of("C_InitPIN"))?;
        session.logout().map_err(Error::of("C_Logout"))?;
        Ok(slot.id())
    }

    /// The token that a URI names.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], [`Error::Device`].
    pub fn token(self: &Arc<Self>, uri: &Uri) -> Result<Arc<Token>, Error> {
        let mut found = self.tokens(uri)?;
        let token = found.pop().ok_or(Error::NotFound { what: "token" })?;
        if found.is_empty() { Ok(token) } else { Err(Error::Ambiguous { what: "token" }) }
    }

    /// All tokens that a URI names and that are there now.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn tokens(self: &Arc<Self>, uri: &Uri) -> Result<Vec<Arc<Token>>, Error> {
        let (manufacturer, description, _) = self.describe()?;
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        if !same(&uri.library_manufacturer, &manufacturer)
            || !same(&uri.library_description, &description)
        {
            return Ok(Vec::new());
        }
        let fits = |slot: &SlotInfo| {
            let token = slot.token.as_ref().filter(|token| token.token_initialized());
            uri.slot_id.is_none_or(|id| id == slot.id)
                && token.is_some_and(|token| {
                    same(&uri.token, token.label())
                        && same(&uri.manufacturer, token.manufacturer_id())
                        && same(&uri.serial, token.serial_number())
                        && same(&uri.model, token.model())
                })
        };
        let slots = self.slots()?;
        slots.iter().filter(|slot| fits(slot)).map(|slot| self.token_in(slot)).collect()
    }

    /// The one [`Token`] of a slot.
    fn token_in(self: &Arc<Self>, slot: &SlotInfo) -> Result<Arc<Token>, Error> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(&slot.id);
        let same = |token: &&Arc<Token>| slot.token.as_ref().is_some_and(|info| token.is(info));
        if let Some(token) = known.filter(same) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(Token::new(Arc::clone(self), self.slot(slot.id)?, slot));
        tokens.insert(slot.id, Arc::clone(&token));
        Ok(token)
    }
}

/// The profile that is forced, or that is for what the module says of itself.
fn choose(
    pkcs11: &Pkcs11,
    path: &Path,
    profiles: &Profiles,
    forced: Option<&str>,
) -> Result<Profile, Error> {
    let info = pkcs11.get_library_info().map_err(Error::of("C_GetInfo"))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let profile = match forced {
        None => profiles.matching(info.manufacturer_id(), info.library_description(), &file),
        Some(name) => profiles
            .named(name)
            .ok_or_else(|| Error::Profile { reason: format!("there is none named {name}") })?,
    };
    Ok(profile.clone())
}

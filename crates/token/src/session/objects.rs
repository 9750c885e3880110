//! Objects: making, finding, reading, changing and destroying them.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::Call;
use crate::{
    attributes::Attributes,
    ops::{Key, key},
    persona,
    rules::{self, Origin},
    rv::{Result, Rv, ensure, fail},
    slot::{Object, Place, State},
    store::{Guard, Name, Role, Stamp},
};

/// What C_GetAttributeValue says of one attribute.
pub(crate) enum Value {
    Bytes(Zeroizing<Vec<u8>>),
    Sensitive,
    Absent,
}

impl Call<'_> {
    pub(super) fn is_officer(&self) -> Result<bool> {
        Ok(self.slot.state()?.role() == Some(Role::Officer))
    }

    /// C_CreateObject.
    pub(crate) fn create(&self, mut template: Attributes) -> Result<CK_OBJECT_HANDLE> {
        rules::check_new(&template, Origin::Created, self.is_officer()?)?;
        match template.class() {
            Some(CKO_PUBLIC_KEY | CKO_PRIVATE_KEY | CKO_SECRET_KEY) => {
                let key = Key::from_attributes(&template)?;
                if template.get(CKA_EC_POINT).is_some() {
                    template.set(CKA_EC_POINT, key::point_attribute(&key)?);
                }
                if template.class() == Some(CKO_SECRET_KEY) {
                    let len = template.get(CKA_VALUE).unwrap_or_default().len();
                    template.set_number(CKA_VALUE_LEN, len as CK_ULONG);
                }
            }
            Some(CKO_CERTIFICATE) => {
                template.required(CKA_CERTIFICATE_TYPE)?;
                let whole =
                    [CKA_SUBJECT, CKA_VALUE].iter().all(|kind| template.get(*kind).is_some());
                ensure(whole, CKR_TEMPLATE_INCOMPLETE)?;
            }
            _ => {}
        }
        rules::complete(&mut template, Origin::Created)?;
        self.add(template)
    }

    /// Puts a new object where its attributes say.
    pub(super) fn add(&self, attributes: Attributes) -> Result<CK_OBJECT_HANDLE> {
        let mut state = self.slot.state()?;
        self.check_place(&state, &attributes)?;
        if !attributes.flag(CKA_TOKEN) {
            ensure(state.is_open(self.handle), CKR_SESSION_CLOSED)?;
            return Ok(state.objects.insert(Place::Session(self.handle), Object::new(attributes)));
        }
        let name = Name::random()?;
        let guard = self.slot.store.lock()?;
        let stamp = self.write(&guard, &state, name, &attributes)?;
        let handle = state.objects.insert(Place::Token(name), Object::new(attributes));
        state.objects.know(name, handle, stamp);
        Ok(handle)
    }

    /// Whether this session may make, change or remove such an object. On the token that takes a
    /// login even for public objects: what is written there is signed.
    pub(super) fn check_place(&self, state: &State, attributes: &Attributes) -> Result {
        ensure(state.sees(attributes.flag(CKA_PRIVATE)), CKR_USER_NOT_LOGGED_IN)?;
        if attributes.flag(CKA_TOKEN) {
            ensure(self.session.writable, CKR_SESSION_READ_ONLY)?;
            state.writer()?;
        }
        Ok(())
    }

    fn write(
        &self,
        guard: &Guard,
        state: &State,
        name: Name,
        attributes: &Attributes,
    ) -> Result<Stamp> {
        let (token, keys) = state.writer()?;
        // Another process may have made this another token.
        ensure(self.slot.token()?.serial() == token.serial(), CKR_TOKEN_NOT_RECOGNIZED)?;
        self.slot.store.write_object(guard, token, keys, name, attributes)
    }

    /// C_CopyObject.
    pub(crate) fn copy(
        &self,
        handle: CK_OBJECT_HANDLE,
        changes: &Attributes,
    ) -> Result<CK_OBJECT_HANDLE> {
        let old = self.visible(handle)?;
        ensure(old.attributes.flag(CKA_COPYABLE), CKR_ACTION_PROHIBITED)?;
        rules::check_change(&old.attributes, changes, true, self.is_officer()?)?;
        self.add(changed(&old.attributes, changes))
    }

    /// C_SetAttributeValue.
    pub(crate) fn change(&self, handle: CK_OBJECT_HANDLE, changes: &Attributes) -> Result {
        let officer = self.is_officer()?;
        let mut state = self.slot.state()?;
        let (place, old) = self.find_in(&mut state, handle)?;
        ensure(old.attributes.flag(CKA_MODIFIABLE), CKR_ACTION_PROHIBITED)?;
        self.check_place(&state, &old.attributes)?;
        rules::check_change(&old.attributes, changes, false, officer)?;
        let Place::Token(name) = place else {
            state.objects.replace(handle, Object::new(changed(&old.attributes, changes)));
            return Ok(());
        };
        // What counts is the object on the disk, under the lock: another process may have tightened
        // it, or destroyed it.
        let guard = self.slot.store.lock()?;
        let (token, keys) = state.writer()?;
        let now = self.slot.store.read_object(token, Some(keys), name)?;
        let now = now.ok_or(Rv(CKR_OBJECT_HANDLE_INVALID))?;
        ensure(now.flag(CKA_MODIFIABLE), CKR_ACTION_PROHIBITED)?;
        rules::check_change(&now, changes, false, officer)?;
        let new = changed(&now, changes);
        let stamp = self.write(&guard, &state, name, &new)?;
        state.objects.replace(handle, Object::new(new));
        state.objects.know(name, handle, stamp);
        Ok(())
    }

    /// C_DestroyObject.
    pub(crate) fn destroy(&self, handle: CK_OBJECT_HANDLE) -> Result {
        let mut state = self.slot.state()?;
        let (place, object) = self.find_in(&mut state, handle)?;
        ensure(object.attributes.flag(CKA_DESTROYABLE), CKR_ACTION_PROHIBITED)?;
        self.check_place(&state, &object.attributes)?;
        if let Place::Token(name) = place {
            let guard = self.slot.store.lock()?;
            let (token, _) = state.writer()?;
            let was_there = self.slot.store.remove_object(&guard, token, name)?;
            state.objects.remove(handle);
            return ensure(was_there, CKR_OBJECT_HANDLE_INVALID);
        }
        state.objects.remove(handle);
        Ok(())
    }

    fn find_in(
        &self,
        state: &mut State,
        handle: CK_OBJECT_HANDLE,
    ) -> Result<(Place, std::sync::Arc<Object>)> {
        self.slot.refresh(state)?;
        let found = state.objects.get(handle).ok_or(Rv(CKR_OBJECT_HANDLE_INVALID))?;
        ensure(state.sees(found.1.is_private()), CKR_OBJECT_HANDLE_INVALID)?;
        Ok(found.clone())
    }

    /// Bytes that the object takes on the disk, about.
    pub(crate) fn size(&self, handle: CK_OBJECT_HANDLE) -> Result<usize> {
        let object = self.visible(handle)?;
        object.attributes.to_der().map(|der| der.len())
    }

    /// C_GetAttributeValue, for one attribute each.
    pub(crate) fn values(
        &self,
        handle: CK_OBJECT_HANDLE,
        kinds: &[CK_ATTRIBUTE_TYPE],
    ) -> Result<Vec<Value>> {
        let object = self.visible(handle)?;
        let persona = persona::current();
        let value = |kind: &CK_ATTRIBUTE_TYPE| match object.attributes.get(*kind) {
            Some(_) if *kind == CKA_EC_PARAMS && !persona.shows_curve => Value::Absent,
            Some(der) if *kind == CKA_EC_POINT => {
                Value::Bytes(Zeroizing::new(persona.show_point(der).to_vec()))
            }
            Some(_) if rules::is_hidden(&object.attributes, *kind) => Value::Sensitive,
            Some(bytes) => Value::Bytes(Zeroizing::new(bytes.to_vec())),
            None => Value::Absent,
        };
        Ok(kinds.iter().map(value).collect())
    }

    /// C_FindObjectsInit: the search is done at once, on what is on the disk now.
    pub(crate) fn start_search(&self, template: &Attributes) -> Result {
        let mut operations = self.session.operations()?;
        ensure(operations.find.is_none(), CKR_OPERATION_ACTIVE)?;
        let mut state = self.slot.state()?;
        self.slot.refresh(&mut state)?;
        let fits = |object: &Object| {
            state.sees(object.is_private())
                && object
                    .attributes
                    .matches(template, |kind| !rules::is_hidden(&object.attributes, kind))
        };
        let found = state.objects.iter().filter(|(_, object)| fits(object));
        let mut found: Vec<_> = found.map(|(handle, _)| handle).collect();
        found.reverse();
        operations.find = Some(found);
        Ok(())
    }

    /// C_FindObjects: the next handles, at most `count`.
    pub(crate) fn search(&self, count: usize) -> Result<Vec<CK_OBJECT_HANDLE>> {
        let mut operations = self.session.operations()?;
        let left = operations.find.as_mut().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        let count = count.min(left.len());
        Ok((0..count).filter_map(|_| left.pop()).collect())
    }

    pub(crate) fn end_search(&self) -> Result {
        let mut operations = self.session.operations()?;
        match operations.find.take() {
            Some(_) => Ok(()),
            None => fail(CKR_OPERATION_NOT_INITIALIZED),
        }
    }
}

fn changed(old: &Attributes, changes: &Attributes) -> Attributes {
    let mut new = old.clone();
    for (kind, value) in changes.iter() {
        new.set(kind, value);
    }
    new
}

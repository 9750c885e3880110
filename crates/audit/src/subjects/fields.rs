//! Which members of an event are personal.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{Attribute, Error, Event, event::attribute::each_once};

/// Which members of an event are about the person whose key seals them.
///
/// ```
/// use gmkit_audit::Fields;
///
/// let fields = Fields::none().with_actor().with_attributes(&["phone", "address"]);
/// # let _ = fields;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    actor: bool,
    resource: bool,
    attributes: &'a [&'a str],
}

impl<'a> Fields<'a> {
    /// None of them.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The name of the user, the address that the request came from, and the principal of the authorisation.
    /// The role stays.
    #[must_use]
    pub fn with_actor(mut self) -> Self {
        self.actor = true;
        self
    }

    /// What it was done to.
    #[must_use]
    pub fn with_resource(mut self) -> Self {
        self.resource = true;
        self
    }

    /// Attributes of these names.
    #[must_use]
    pub fn with_attributes(mut self, names: &'a [&'a str]) -> Self {
        self.attributes = names;
        self
    }

    /// Parts an event into what is left and what is about the person.
    pub(super) fn part(&self, event: &Event) -> (Event, Content) {
        let (mut event, mut content) = (event.clone(), Content::default());
        if self.actor {
            (content.user, content.ip) = (event.actor.user.take(), event.actor.ip.take());
            let authorisation = event.authorisation.as_mut();
            content.principal = authorisation.and_then(|own| own.principal.take());
        }
        if self.resource {
            content.resource = event.resource.take();
        }
        for name in self.attributes {
            content.attributes.extend(event.attributes.remove_entry(*name));
        }
        (event, content)
    }
}

/// Members of an event, as they are sealed: JSON.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "each_once")]
    attributes: BTreeMap<String, Attribute>,
}

impl Content {
    /// Whether what is sealed can be read again.
    pub(super) fn reads_back(&self) -> bool {
        self.attributes.values().all(Attribute::reads_back)
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts everything back. What is there already is not replaced: nobody has sealed it so.
    pub(super) fn put_into(self, event: &mut Event) -> Result<(), Error> {
        let Self { user, ip, principal, resource, attributes } = self;
        if principal.is_some() {
            let authorisation = event.authorisation.as_mut().ok_or(Error::Rejected)?;
            put(principal, &mut authorisation.principal)?;
        }
        put(user, &mut event.actor.user)?;
        put(ip, &mut event.actor.ip)?;
        put(resource, &mut event.resource)?;
        for (name, value) in attributes {
            if event.attributes.insert(name, value).is_some() {
                return Err(Error::Rejected);
            }
        }
        Ok(())
    }
}

fn put<T>(value: Option<T>, place: &mut Option<T>) -> Result<(), Error> {
    match (value, &place) {
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err(Error::Rejected),
        (value, None) => {
            *place = value;
            Ok(())
        }
    }
}

//! What `gmkit hsm` tells of modules, tokens and keys.

use gmkit::hsm::{Finding, KeyClass, KeyInfo, Module, Outcome, Profiles, SlotInfo, Token};
use serde_json::{Value, json};

use crate::{failure::Failure, output::print};

pub(crate) fn info(module: &Module, as_json: bool) -> Result<(), Failure> {
    let (manufacturer, description, version) = module.describe()?;
    let profile = module.profile();
    let mut tokens = Vec::new();
    for slot in module.slots()? {
        if slot.token.as_ref().is_some_and(|token| token.token_initialized()) {
            let mechanisms = module.mechanisms(slot.id)?;
            tokens.push((slot, mechanisms));
        }
    }
    if as_json {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|(slot, mechanisms)| {
                let mut value = slot_json(slot);
                let entry = |(what, code, there): &(&str, u64, bool)| {
                    json!({ "does": what, "code": format!("{code:#010x}"), "there": there })
                };
                value["mechanisms"] = mechanisms.iter().map(entry).collect();
                value
            })
            .collect();
        return print(
            &json!({
                "module": module.path(), "manufacturer": manufacturer, "description": description,
                "version": version, "profile": profile.name, "tokens": tokens,
            })
            .to_string(),
        );
    }
    print(&format!("module   {}", module.path().display()))?;
    let (manufacturer, description) = (manufacturer.escape_debug(), description.escape_debug());
    print(&format!("says     {manufacturer}, {description}, {version}"))?;
    print(&format!("profile  {} ({})", profile.name, profile.title))?;
    for (slot, mechanisms) in &tokens {
        print(&format!("\n{}", slot_line(slot)))?;
        for (what, code, there) in mechanisms {
            print(&format!("  {code:#010x}  {what:<16}  {}", if *there { "there" } else { "-" }))?;
        }
    }
    Ok(())
}

pub(crate) fn slots(module: &Module, as_json: bool) -> Result<(), Failure> {
    let slots = module.slots()?;
    if as_json {
        return print(&slots.iter().map(slot_json).collect::<Value>().to_string());
    }
    slots.iter().try_for_each(|slot| print(&slot_line(slot)))
}

/// What a token says of its user's PIN.
fn pin_state(slot: &SlotInfo) -> &'static str {
    match &slot.token {
        Some(token) if token.user_pin_locked() => "PIN locked",
        Some(token) if token.user_pin_final_try() => "one try left",
        Some(token) if token.user_pin_count_low() => "a wrong PIN was tried",
        Some(token) if token.user_pin_initialized() => "PIN set",
        Some(_) => "no PIN set",
        None => "",
    }
}

fn slot_line(slot: &SlotInfo) -> String {
    let id = slot.id;
    match &slot.token {
        None => format!("slot {id}: no token, or one that is not recognised"),
        Some(token) if !token.token_initialized() => format!("slot {id}: no token made yet"),
        Some(token) => format!(
            "slot {id}: token {}, {}, {}, serial {}, {}",
            token.label().escape_debug(),
            token.manufacturer_id().escape_debug(),
            token.model().escape_debug(),
            token.serial_number().escape_debug(),
            pin_state(slot),
        ),
    }
}

fn slot_json(slot: &SlotInfo) -> Value {
    let token = slot.token.as_ref().filter(|token| token.token_initialized());
    json!({
        "slot": slot.id,
        "description": slot.description,
        "token": token.map(|token| json!({
            "label": token.label(),
            "manufacturer": token.manufacturer_id(),
            "model": token.model(),
            "serial": token.serial_number(),
            "pin": pin_state(slot),
        })),
    })
}

pub(crate) fn keys(keys: &[KeyInfo], as_json: bool) -> Result<(), Failure> {
    let class = |key: &KeyInfo| match key.class {
        KeyClass::Private => "private",
        KeyClass::Public => "public",
        _ => "secret",
    };
    if as_json {
        let entry = |key: &KeyInfo| {
            json!({
                "class": class(key), "type": format!("{:#010x}", key.key_type),
                "label": key.label, "id": hex::encode(&key.id),
            })
        };
        return print(&keys.iter().map(entry).collect::<Value>().to_string());
    }
    for key in keys {
        let id = hex::encode(&key.id);
        // A label is whoever's who made the key: no line of its own, and nothing to the terminal.
        let label = key.label.escape_debug().to_string();
        print(&format!("{:<8} {:#010x}  {label:<24} {id}", class(key), key.key_type))?;
    }
    Ok(())
}

pub(crate) fn profiles(profiles: &Profiles, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let entry = |profile: &gmkit::hsm::Profile| {
            let mechanism = |(what, code): (&str, u64)| json!({ "does": what, "code": format!("{code:#010x}") });
            let mechanisms: Value = profile.mechanisms().into_iter().map(mechanism).collect();
            json!({
                "name": profile.name, "title": profile.title, "sources": profile.sources,
                "mechanisms": mechanisms,
            })
        };
        return print(&profiles.iter().map(entry).collect::<Value>().to_string());
    }
    for profile in profiles.iter() {
        print(&format!(
            "{:<9} {}\n          from {}",
            profile.name, profile.title, profile.sources
        ))?;
    }
    Ok(())
}

/// What the test of a device found: a table, or something to send around when a new device is met.
pub(crate) fn findings(token: &Token, findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    let module = token.module();
    let (manufacturer, description, version) = module.describe()?;
    if as_json {
        let entry = |finding: &Finding| {
            let (state, detail) = match &finding.outcome {
                Outcome::Works { form } => ("works", form.as_str()),
                Outcome::Absent => ("absent", ""),
                Outcome::Fails { error } => ("fails", error.as_str()),
                Outcome::Wrong { reason } => ("wrong", *reason),
                _ => ("not tried", ""),
            };
            json!({
                "does": finding.what, "code": format!("{:#010x}", finding.mechanism),
                "outcome": state, "detail": detail, "per_second": finding.per_second,
            })
        };
        let findings: Value = findings.iter().map(entry).collect();
        return print(
            &json!({
                "manufacturer": manufacturer, "description": description, "version": version,
                "profile": module.profile().name, "findings": findings,
            })
            .to_string(),
        );
    }
    let (manufacturer, description) = (manufacturer.escape_debug(), description.escape_debug());
    print(&format!("device   {manufacturer}, {description}, {version}"))?;
    print(&format!("profile  {} ({})\n", module.profile().name, module.profile().title))?;
    for Finding { what, mechanism, outcome, per_second, .. } in findings {
        let pace = per_second.map_or_else(|| "-".to_owned(), |pace| format!("{pace:.0}/s"));
        let code = match mechanism {
            0 => String::new(),
            code => format!("{code:#010x}"),
        };
        print(&format!("{code:<10}  {what:<22}  {pace:>10}  {outcome}"))?;
    }
    Ok(())
}

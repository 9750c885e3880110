//! YAML (1.2), strictly: nothing is there twice, nothing is merged, and there is one document.

use serde::de::DeserializeOwned;
use serde_saphyr::{
    DuplicateKeyPolicy, MergeKeyPolicy, MessageFormatter, UserMessageFormatter, options,
};

use crate::Error;

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let options = options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location();
        let number = |of: Option<u64>| of.and_then(|of| usize::try_from(of).ok()).unwrap_or(0);
        Error::Policy {
            line: number(place.map(|place| place.line())),
            column: number(place.map(|place| place.column())),
            reason: UserMessageFormatter.format_message(&error).into_owned(),
        }
    })
}

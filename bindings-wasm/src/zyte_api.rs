//! `silkline::zyte_api`.

use silkline::{
    extraction::PageType,
    zyte_api::items::{self, Converted, InvalidItem},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    convert::{Object, array, deliver},
    errors::Thrown,
};

/// Converts an item, out of Zyte API's schema or into it. Gives the item's JSON as bytes, and what
/// is unmapped as a text of paths and values in turn.
#[wasm_bindgen(js_name = convertItem)]
pub fn convert_item(out_of: bool, page_type: &str, item: &[u8]) -> Result<JsValue, Thrown> {
    let page_type: PageType = page_type.parse()?;
    let convert: fn(PageType, &[u8]) -> Result<Converted, InvalidItem> =
        if out_of { items::from_zyte_api } else { items::to_zyte_api };
    let converted = convert(page_type, item)?;
    let unmapped = converted
        .unmapped
        .iter()
        .map(|part| Object::new().text("path", &part.path).text("valueJson", &part.value).end());
    Ok(deliver(&[], converted.item.as_bytes(), &array(unmapped)))
}

//! Replays the corpus of the fuzz targets, which need a nightly compiler to search for more.

use std::{fs, path::Path};

use conformance::{item_converter, json_reader};

/// The files of a target's corpus.
fn corpus(target: &str) -> impl Iterator<Item = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    assert!(entries.len() > 20, "only {} files in {}", entries.len(), folder.display());
    entries.into_iter().map(|entry| {
        // The file's name is shown by the panic of a check only if it is printed first.
        println!("{}", entry.path().display());
        fs::read(entry.path()).unwrap()
    })
}

#[test]
fn json() {
    for body in corpus("json") {
        json_reader::check(&body);
        // Every end of it, and every place in a block of 64 bytes.
        for end in 0..body.len() {
            json_reader::check(&body[..end]);
        }
        for front in 1..66 {
            let mut moved = vec![b' '; front];
            moved.extend(&body);
            json_reader::check(&moved);
        }
    }
}

#[test]
fn items() {
    for input in corpus("items") {
        item_converter::check(&input);
        for end in 0..input.len() {
            item_converter::check(&input[..end]);
        }
        // As an item of every page type and schema.
        for way in 0..20 {
            if let Some((_, item)) = input.split_first() {
                item_converter::check(&[&[way], item].concat());
            }
        }
    }
}

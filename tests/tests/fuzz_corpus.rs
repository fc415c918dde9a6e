//! Replays the corpus of the fuzz targets, which need a nightly compiler to search for more.

use std::{fs, path::Path};

use conformance::json_reader;

#[test]
fn json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/json");
    let mut read = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let body = fs::read(&path).unwrap();
        // The file's name is shown by the panic of `check` only if it is printed first.
        println!("{}", path.display());
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
        read += 1;
    }
    assert!(read > 20, "only {read} files in {}", folder.display());
}

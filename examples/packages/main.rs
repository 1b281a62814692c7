//! `cargo run --example packages` writes the packages for other CI systems, and `action-types.yml`, from the table of inputs.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which prints to the terminal")]
#![expect(clippy::disallowed_methods, reason = "a program of its own, which writes the files of this repository")]

mod files;

use std::path::Path;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in files::all() {
        let path = root.join(name);
        let folder = path.parent().context("a file is in a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        #[cfg(unix)]
        if files::is_script(name) {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
        println!("{name}");
    }
    Ok(())
}

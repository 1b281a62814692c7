//! The TOTP secret, and the code of each of its steps (RFC 6238).

use std::fmt;

use secrecy::SecretString;
use totp_rs::{Algorithm, Builder, Secret};
use url::{Host, Url};

/// The longest step that makes sense to wait for, in seconds; 30 is usual.
const LONGEST_STEP: u64 = 300;

/// A checked TOTP secret.
pub struct Totp(totp_rs::Totp);

impl Totp {
    /// The step that `unix_seconds` lies in. No two sign-ins may use the same one: a code is good once.
    pub fn step_at(&self, unix_seconds: u64) -> u64 {
        unix_seconds / self.0.step()
    }

    /// The code of a step.
    pub fn code(&self, step: u64) -> SecretString {
        self.0.generate(step.saturating_mul(self.0.step())).to_string().into()
    }

    /// The first second, since 1970, that is no more of this step.
    pub fn step_ends(&self, step: u64) -> u64 {
        step.saturating_add(1).saturating_mul(self.0.step())
    }

    /// Base32, spaces, hyphens, lower case and padding forgiven; or an `otpauth://totp/` address. The error says what
    /// is wrong and never what was given. The other half: the bare secret, to be redacted beside the text given.
    pub(crate) fn read(text: &str) -> Result<(Totp, SecretString), &'static str> {
        let text = text.trim();
        if text.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("otpauth:")) {
            read_address(text)
        } else {
            make(text, usual())
        }
    }
}

/// Not `Totp::from_url`: it refuses secrets under 128 bits (many services give 80), lower case and padding, and labels
/// whose two issuers differ, which change no code.
fn read_address(text: &str) -> Result<(Totp, SecretString), &'static str> {
    let url = Url::parse(text).map_err(|_| "the otpauth:// address cannot be read")?;
    if url.host() != Some(Host::Domain("totp")) {
        return Err("only otpauth://totp/ addresses are supported");
    }
    let mut builder = usual();
    let mut secret = None;
    for (key, value) in url.query_pairs() {
        match key.as_ref() {
            "secret" => secret = Some(value),
            "algorithm" => {
                let algorithm = value.parse().map_err(|_| "the algorithm must be SHA1, SHA256 or SHA512")?;
                builder = builder.with_algorithm(algorithm);
            }
            "digits" => {
                let digits = value.parse().ok().filter(|digits| (6..=8).contains(digits));
                builder = builder.with_digits(digits.ok_or("the number of digits must be 6, 7 or 8")?);
            }
            "period" => {
                let step = value.parse().ok().filter(|step| (1..=LONGEST_STEP).contains(step));
                builder = builder.with_step_duration(step.ok_or("the period must be 1 to 300 seconds")?);
            }
            _ => {}
        }
    }
    make(&secret.ok_or("the otpauth:// address contains no secret")?, builder)
}

/// What nearly every service uses, and an `otpauth` address may leave out.
fn usual() -> Builder {
    Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30)
}

fn make(base32: &str, builder: Builder) -> Result<(Totp, SecretString), &'static str> {
    let plain: String = base32.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let plain = plain.trim_end_matches('=').to_ascii_uppercase();
    if plain.is_empty() {
        return Err("it is empty");
    }
    // Eight characters make five bytes; these lengths can't come from whole bytes, so that characters are missing.
    if matches!(plain.len() % 8, 1 | 3 | 6) {
        return Err("not complete base32. Characters are missing: copy it again");
    }
    let secret = Secret::try_from_base32(&plain)
        .map_err(|_| "not base32 (A-Z and 2-7). Use the secret shown when MFA was set up, not a code")?;
    // The compliant build only adds the 128 bits that many services do not have.
    let totp = builder.with_secret(secret).build_noncompliant();
    Ok((Totp(totp), plain.into()))
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    /// The seeds of RFC 6238, appendix B (with its errata): the ASCII digits repeated to each hash's length.
    const SEED_SHA1: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const SEED_SHA256: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";

    fn read(text: &str) -> Totp {
        Totp::read(text).unwrap_or_else(|error| panic!("{text}: {error}")).0
    }

    fn code_at(totp: &Totp, unix_seconds: u64) -> String {
        totp.code(totp.step_at(unix_seconds)).expose_secret().to_owned()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let sha1 = read(&format!("otpauth://totp/x?secret={SEED_SHA1}&digits=8"));
        let sha256 = read(&format!("otpauth://totp/x?secret={SEED_SHA256}&digits=8&algorithm=SHA256"));
        for (time, by_sha1, by_sha256) in [
            (59, "94287082", "46119246"),
            (1_111_111_109, "07081804", "68084774"),
            (1_234_567_890, "89005924", "91819424"),
            (20_000_000_000, "65353130", "77737706"),
        ] {
            assert_eq!(code_at(&sha1, time), by_sha1);
            assert_eq!(code_at(&sha256, time), by_sha256);
        }
    }

    #[test]
    fn a_secret_is_read_as_people_copy_it() {
        let same = [
            "JBSWY3DPEHPK3PXP",
            "jbsw y3dp ehpk 3pxp",
            "JBSW-Y3DP-EHPK-3PXP",
            " JBSWY3DPEHPK3PXP== ",
            "JBSWY3DP\tEHPK3PXP",
        ];
        for text in same {
            assert_eq!(code_at(&read(text), 59), code_at(&read("JBSWY3DPEHPK3PXP"), 59), "{text}");
        }
        let address =
            "OTPAUTH://totp/Dadosfera:me%40x?secret=jbswy3dpehpk3pxp&issuer=Other&period=60&digits=7&algorithm=sha512";
        let totp = read(address);
        assert_eq!(code_at(&totp, 0).len(), 7);
        assert_eq!((totp.step_at(59), totp.step_at(60), totp.step_ends(0)), (0, 1, 60));
    }

    #[test]
    fn what_makes_no_codes_is_refused() {
        for text in [
            "",
            "=",
            "  ",
            "not base32!",
            "JBSWY3DPEHPK3P",
            "0189",
            "ÄÖ",
            "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP",
            "otpauth://totp/x",
            "otpauth://totp/x?secret=",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=5",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=10",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&period=0",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&period=301",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=MD5",
            "otpauth-migration://offline?data=CjEK",
        ] {
            assert!(Totp::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_step_overflows() {
        let totp = read("JBSWY3DPEHPK3PXP");
        for step in [0, totp.step_at(u64::MAX), u64::MAX] {
            assert_eq!(totp.code(step).expose_secret().len(), 6);
            assert!(totp.step_ends(step) >= 30);
        }
        assert_eq!(totp.step_ends(1), 60);
    }
}

//! The reference's section on the network, with the tests that hold each promise.

use super::index::section;
use super::names::{Line, line};

pub const NETWORK: &[Line] = &[
    section("#network"),
    line(
        "which proxy is used, and which values are input errors",
        &[
            "a_proxy_value_is_trimmed_and_read_in_every_usual_spelling",
            "a_proxy_variable_that_can_not_be_understood_is_an_input_error",
            "a_proxy_variable_that_is_not_understood_ends_the_gate_before_any_request",
            "a_variable_that_does_not_count_is_read_all_the_same",
            "the_first_variable_that_says_something_names_the_proxy",
            "a_socks_proxy_carries_the_requests",
        ],
    ),
    line(
        "NO_PROXY",
        &[
            "no_proxy_exempts_in_every_usual_spelling",
            "an_exemption_that_can_not_be_understood_is_an_input_error",
            "no_proxy_in_any_spelling_keeps_the_proxy_out",
        ],
    ),
    line("ca-file in PEM and DER", &["a_ca_file_is_read_in_every_form_that_editors_leave"]),
    line(
        "the log and the JSON report name the proxy and what vouched for the service",
        &[
            "the_log_and_the_report_name_the_proxy_and_what_vouched_for_the_service",
            "a_proxy_is_named_also_where_it_lets_nothing_through",
            "doctor_names_the_proxy_and_what_vouched_for_the_service",
            "what_vouched_for_the_service_is_kept",
        ],
    ),
    line("localhost is this machine", &["localhost_is_this_machine_whatever_anybody_says"]),
    line(
        "names are resolved as by glibc (the released program: tests/dns/run)",
        &[
            "an_address_is_found_whatever_becomes_of_the_other_family",
            "a_failure_for_a_search_domain_does_not_hide_the_name",
            "the_first_server_that_can_tell_decides",
            "the_search_list_is_read_as_glibc_does",
            "the_second_way_is_gone_where_the_first_fails_or_is_late",
        ],
    ),
    line(
        "TLS that is set up wrongly is named at once, and a proxy's refusal with its status",
        &[
            "a_server_with_no_common_version_or_cipher_is_named_at_once",
            "a_server_that_requires_a_client_certificate_is_named_at_once",
            "a_server_that_only_asks_for_a_client_certificate_may_break_now_and_then",
            "a_server_that_speaks_no_tls_is_named_at_once",
            "a_ca_file_that_is_the_server_s_own_certificate_is_named_at_once",
            "a_refused_tunnel_shows_the_proxy_s_status",
            "a_proxy_s_refusal_is_shown_with_its_status",
        ],
    ),
    line(
        "of two clocks that differ by more than a day the stricter age counts",
        &[
            "of_two_clocks_that_differ_by_more_than_a_day_the_stricter_age_counts",
            "an_implausible_clock_is_a_warning_and_no_way_to_pass",
        ],
    ),
];

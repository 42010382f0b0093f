use greenlight_artifact::{Schema, source::Source};

use super::*;

fn artifact(head: &str, rows: &str) -> ValidArtifact {
    let text = format!(
        "# label: test\n# created_at: 1763700000\n# intercept: {head}\nkey,kind,arg,weight\n{rows}"
    );
    Source::from_csv(&text).unwrap().encode(&[Schema::ENGINE_1]).unwrap()
}

/// The warnings for rows, as `key reason`.
fn warned(rows: &str) -> Vec<String> {
    warnings(&artifact("-2000", &format!("z.base,ua-contains,zz,5000\n{rows}")))
        .iter()
        .map(|warning| format!("{} {}", warning.key.as_deref().unwrap_or("-"), warning.reason))
        .collect()
}

#[test]
fn a_sound_table_has_no_warnings() {
    let rows = "a,ua-contains,curl/,4000\nb,header-absent,accept-language,1200\nc,method,POST,100\n\
                d,path-prefix,/wp-,900\ne,client-cidr-v4,192.0.2.0/24,700\nf,http-version,10,500\ng,request-rate,20,900\n\
                h,header-contains,accept:*/*,10\ni,ua-empty,,3000\nj,ua-longer-than,300,100\n\
                k,ua-shorter-than,20,200\nl,crawler-unverified,,900\nm,hints-missing,,700\nn,hints-contradict,,800\n\
                o,header-count-over,40,10\np,header-count-under,4,20\nq,header-longer-than,4096,30\nr,header-repeated,,40\n\
                s,header-order,^hua$,50\nt,header-order,..,5\nu,accept-language-malformed,,60\nv,http1-fields,,70\n\
                w,path-depth-over,9,10\nx,path-entropy-over,500,20\ny,scanner-path,,900\nza,distinct-paths-over,100,10\n\
                zb,error-ratio-over,50,20\nzc,gap-variation-under,5,30\nzd,ja4-contains,t13d,40\nze,http2-contains,1:65536,50";
    assert_eq!(warned(rows), Vec::<String>::new());
}

#[test]
fn rows_that_never_fire_are_told() {
    for row in [
        "a,http-version,12,1",
        "a,method,get,1",
        "a,path-prefix,wp-admin,1",
        "a,path-contains,?q=,1",
        "a,path-prefix,/#x,1",
        "a,header-equals,accept: x,1",
        "a,error-ratio-over,100,1",
        "a,path-entropy-over,800,1",
        "a,distinct-paths-over,1597,1",
        "a,request-rate,2097150,1",
        "a,header-order,h^u,1",
        "a,header-order,hu-a,1",
        "a,header-order,huah,1",
        "a,ja4-contains,T13D,1",
    ] {
        assert_eq!(warned(row), ["a never-fires"], "{row}");
    }
}

#[test]
fn headers_that_requests_do_not_have_are_told() {
    for row in [
        "a,header-present,referrer,1",
        "a,header-absent,set-cookie,1",
        "a,header-present,x-bot-score,1",
        "a,header-contains,-x:1,1",
    ] {
        assert_eq!(warned(row), ["a never-seen-header"], "{row}");
    }
}

#[test]
fn rows_that_always_fire_are_told() {
    for row in [
        "a,path-prefix,/,1",
        "a,path-contains,/,1",
        "a,client-cidr-v4,0.0.0.0/0,1",
        "a,client-cidr-v6,::/0,1",
        "a,header-order,^,1",
        "a,header-order,$,1",
    ] {
        assert_eq!(warned(row), ["a always-fires"], "{row}");
    }
}

#[test]
fn weights_and_methods_that_are_likely_mistakes_are_told() {
    assert_eq!(warned("a,ua-contains,curl/,0"), ["a zero-weight"]);
    assert_eq!(warned("a,method,BREW,1"), ["a unknown-method"]);
}

#[test]
fn one_feature_under_two_keys_is_told() {
    assert_eq!(warned("a,ua-contains,curl/,1\nb,ua-contains,curl/,2"), ["b duplicate-feature"]);
    assert_eq!(warned("a,header-present,accept,1\nb,header-absent,accept,2"), ["b complement"]);
    // The same text in another kind is another feature.
    assert_eq!(warned("a,path-contains,/x,1\nb,path-prefix,/x,2"), Vec::<String>::new());
}

#[test]
fn a_row_inside_an_opposed_one_is_told_whichever_comes_first() {
    for (rows, key) in [
        ("a,ua-contains,bot,4000\nb,ua-contains,googlebot,-3000", "b"),
        ("a,ua-contains,googlebot,-3000\nb,ua-contains,bot,4000", "a"),
        ("a,path-prefix,/a,10\nb,path-prefix,/a/b,-10", "b"),
        ("a,path-contains,/a,10\nb,path-prefix,/x/a/b,-10", "b"),
        ("a,client-cidr-v4,10.0.0.0/8,10\nb,client-cidr-v4,10.1.0.0/16,-10", "b"),
        ("a,client-cidr-v6,2001:db8::/32,10\nb,client-cidr-v6,2001:db8:1::/48,-10", "b"),
        ("a,header-present,accept,10\nb,header-equals,accept:*/*,-10", "b"),
        ("a,request-rate,10,10\nb,request-rate,20,-10", "b"),
        ("a,header-count-over,10,10\nb,header-count-over,20,-10", "b"),
        ("a,header-count-under,10,10\nb,header-count-under,20,-10", "a"),
        ("a,ua-longer-than,10,10\nb,ua-longer-than,20,-10", "b"),
        ("a,ua-shorter-than,10,10\nb,ua-empty,,-10", "b"),
        ("a,gap-variation-under,10,10\nb,gap-variation-under,20,-10", "a"),
        ("a,error-ratio-over,10,10\nb,error-ratio-over,20,-10", "b"),
        ("a,header-order,^hu,10\nb,header-order,^hua$,-10", "b"),
        ("a,ja4-contains,t13,10\nb,ja4-contains,t13d,-10", "b"),
    ] {
        assert_eq!(warned(rows), [format!("{key} shadowed")], "{rows}");
    }
    // The same sign refines; another network shadows nothing.
    assert_eq!(
        warned("a,ua-contains,bot,4000\nb,ua-contains,googlebot,3000"),
        Vec::<String>::new()
    );
    assert_eq!(
        warned("a,client-cidr-v4,10.0.0.0/8,10\nb,client-cidr-v4,11.1.0.0/16,-10"),
        Vec::<String>::new()
    );
}

#[test]
fn a_table_that_can_say_one_thing_only_is_told() {
    let reasons = |head: &str, rows: &str| -> Vec<_> {
        warnings(&artifact(head, rows)).iter().map(|warning| warning.reason).collect()
    };
    assert_eq!(reasons("-5000", "a,ua-contains,curl/,4000"), ["never-bot"]);
    assert_eq!(reasons("5000", "a,ua-contains,curl/,-4000"), ["always-bot"]);
    assert_eq!(reasons("100", "a,ua-contains,mozilla,-4000"), ["bot-by-default"]);
}

#[test]
fn a_date_and_a_label_that_tell_nothing_are_told() {
    let reasons = |head: &str| -> Vec<_> {
        let text = format!("{head}# intercept: -1\nkey,kind,arg,weight\na,ua-empty,,5");
        let artifact = Source::from_csv(&text).unwrap().encode(&[Schema::ENGINE_1]).unwrap();
        warnings(&artifact).iter().map(|warning| warning.reason).collect()
    };
    assert_eq!(reasons("# created_at: 0\n"), ["created-at", "no-label"]);
    assert_eq!(reasons("# created_at: 1763700000000\n# label: x\n"), ["created-at"]);
}

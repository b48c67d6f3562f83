//! Kinds that are asked and not stored: who am I, may I.

use crate::kinds::Kind;

const fn review(
    group: &'static str,
    kind: &'static str,
    names: (&'static str, &'static str),
    namespaced: bool,
    schema: &'static str,
) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural: names.0,
        singular: names.1,
        short_names: &[],
        categories: &[],
        namespaced,
        subresources: &[],
        schema,
    }
}

macro_rules! reviews {
    ($($(#[$doc:meta])* $id:ident = $group:literal $kind:literal $plural:literal $singular:literal $namespaced:literal $schema:literal;)*) => {
        $($(#[$doc])* pub static $id: Kind = review($group, $kind, ($plural, $singular), $namespaced, $schema);)*
        /// Every review, in the order of discovery.
        pub static REVIEWS: &[&Kind] = &[$(&$id),*];
    };
}

reviews! {
    /// SelfSubjectReview
    SELF_SUBJECT_REVIEWS = "authentication.k8s.io" "SelfSubjectReview" "selfsubjectreviews" "selfsubjectreview" false "io.k8s.api.authentication.v1.SelfSubjectReview";
    /// TokenReview
    TOKEN_REVIEWS = "authentication.k8s.io" "TokenReview" "tokenreviews" "tokenreview" false "io.k8s.api.authentication.v1.TokenReview";
    /// LocalSubjectAccessReview
    LOCAL_SUBJECT_ACCESS_REVIEWS = "authorization.k8s.io" "LocalSubjectAccessReview" "localsubjectaccessreviews" "localsubjectaccessreview" true "io.k8s.api.authorization.v1.LocalSubjectAccessReview";
    /// SelfSubjectAccessReview
    SELF_SUBJECT_ACCESS_REVIEWS = "authorization.k8s.io" "SelfSubjectAccessReview" "selfsubjectaccessreviews" "selfsubjectaccessreview" false "io.k8s.api.authorization.v1.SelfSubjectAccessReview";
    /// SelfSubjectRulesReview
    SELF_SUBJECT_RULES_REVIEWS = "authorization.k8s.io" "SelfSubjectRulesReview" "selfsubjectrulesreviews" "selfsubjectrulesreview" false "io.k8s.api.authorization.v1.SelfSubjectRulesReview";
    /// SubjectAccessReview
    SUBJECT_ACCESS_REVIEWS = "authorization.k8s.io" "SubjectAccessReview" "subjectaccessreviews" "subjectaccessreview" false "io.k8s.api.authorization.v1.SubjectAccessReview";
}

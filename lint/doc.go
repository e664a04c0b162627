// Package lint answers one question: would a careful relying party accept
// this?
//
// Certificates, revocation lists and signing requests come in as DER, a
// step-ca tree as files, and findings come out. Nothing is read, nothing is
// written, and the clock is an argument.
//
// Findings have two sources. Our own rules ([Rule], source "pki") judge an
// object together with its surroundings: the issuer, the previous list, the
// planned date of the next signing. zlint judges the object alone; which of its
// lints are switched on, and how loudly they speak, is the profile's business
// (private.tsv, one line for every lint that zlint has).
//
// An object that is about to be signed is judged as a draft: a complete
// certificate or list with a stand-in for its signature. [Linter.ClearCertificate]
// and [Linter.ClearCRL] turn a draft that passes into a [Cleared], the only
// thing that carries to-be-signed bytes to the key. What was not linted cannot
// be signed.
package lint

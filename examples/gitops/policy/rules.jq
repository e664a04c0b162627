# Rules of our house on a plan. Each gives lines that say what is refused.
# Change them: they are yours. want holds the words of the estate.

def certificates: .result.plan.actions[] | select(.kind == "sign_certificate");
def deny(what): "refused: \(.address): \(what)";

# A CA below the root is limited to names and purposes.
( certificates
  | select(.sign_certificate.want.issuer != null)
  | select(.sign_certificate.want.name_constraints == null)
  | deny("an authority below a root has name_constraints here") ),

( certificates
  | select(.sign_certificate.want.issuer != null)
  | select(.sign_certificate.want.extended_key_usage == null)
  | deny("an authority below a root has extended_key_usage here") ),

# Nothing counts for longer than we want to look after it.
( certificates
  | select((.sign_certificate.want.validity | capture("^(?<y>[0-9]+)y$")? // {y: "0"} | .y | tonumber) > 20)
  | deny("no certificate counts for more than 20 years here") ),

# URLs that stand in certificates for decades are under a name that we own.
( certificates
  | select(.sign_certificate.want.crl != null)
  | select(.sign_certificate.want.crl | startswith("http://pki.acme.example/") | not)
  | deny("CRLs are published under http://pki.acme.example/ here") ),

# New keys are elliptic.
( .result.plan.actions[]
  | select(.kind == "generate_key")
  | select(.generate_key.algorithm | startswith("rsa-"))
  | deny("new RSA keys are not made here") ),

# A waiver says who decided.
( .result.plan.lint.waivers[]?
  | select((.author // "") == "")
  | "refused: \(.object): the waiver of \(.lint) does not say who decided (author)" )

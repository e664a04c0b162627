moved {
  from = authority.root
  to   = authority.top
}
moved {
  from = authority.before
  to   = authority.root
}
moved {
  from = authority.before
  to   = authority.root
}
moved {
  from = "authority.before"
  to   = authority["root"].x
}
moved {
  from = secret.lab
  to   = secret.other
}
moved {
  from = authority.gone["us"]
  to   = authority.gone["us"]
}
moved {
  to = authority.root
}
removed { from = authority.root }
removed { from = provisioner.old }
removed { from = authority.before }

secret "f" { prompt = "yes" }

SELECT generation FROM catalogue

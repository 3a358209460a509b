module spanwire/gocent

go 1.24

require github.com/centrifugal/gocent/v3 v3.4.0

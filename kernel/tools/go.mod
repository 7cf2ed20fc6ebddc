// gopls for completion in notebooks. It is a module of its own: its golang.org/x/tools is not the one that gonb needs.
module elastography/kernel/tools

go 1.26.5

tool golang.org/x/tools/gopls

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/fatih/camelcase v1.0.0 // indirect
	github.com/fatih/gomodifytags v1.17.1-0.20250423142747-f3939df9aa3c // indirect
	github.com/fatih/structtag v1.2.0 // indirect
	github.com/google/go-cmp v0.6.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20250218142911-aa4b98e5adaa // indirect
	golang.org/x/mod v0.25.0 // indirect
	golang.org/x/sync v0.15.0 // indirect
	golang.org/x/sys v0.33.0 // indirect
	golang.org/x/telemetry v0.0.0-20250417124945-06ef541f3fa3 // indirect
	golang.org/x/text v0.26.0 // indirect
	golang.org/x/tools v0.34.1-0.20250610205101-c26dd3ba555e // indirect
	golang.org/x/tools/gopls v0.19.1 // indirect
	golang.org/x/vuln v1.1.4 // indirect
	honnef.co/go/tools v0.7.0-0.dev.0.20250523013057-bbc2f4dd71ea // indirect
	mvdan.cc/gofumpt v0.7.0 // indirect
	mvdan.cc/xurls/v2 v2.6.0 // indirect
)

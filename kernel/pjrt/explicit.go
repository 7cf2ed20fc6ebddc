package pjrt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// explicit describes the plugin that the user chose through GOMLX_BACKEND=v. The choice is kept as it is, but for the
// bare path of a plugin, which GoMLX alone would not understand.
func (s store) explicit(v string) (Plugin, error) {
	if filepath.IsAbs(v) {
		v = bareConfig(v)
	}
	backend, options, _ := strings.Cut(v, ":")
	name, _, _ := strings.Cut(options, ",")
	p := Plugin{Name: name, Source: SourceEnv, config: v}
	if !isXLA(backend) || name == "" {
		p.Name = v
		return p, nil
	}
	if !filepath.IsAbs(name) {
		if strings.ContainsRune(name, filepath.Separator) {
			return Plugin{}, fmt.Errorf("XLA plugin: %s=%q names a relative path; give the full path", envBackend, v)
		}
		return p, nil // such as "cuda": go-xla looks it up, and installs it unless GOMLX_NO_AUTO_INSTALL is set
	}
	info, err := os.Stat(name)
	if err != nil {
		return Plugin{}, fmt.Errorf("XLA plugin: %s=%q: %w; correct the path, or unset %s to use the pinned plugin", envBackend, v, err, envBackend)
	}
	if !info.Mode().IsRegular() {
		return Plugin{}, fmt.Errorf("XLA plugin: %s=%q is not a file; name the shared library itself", envBackend, v)
	}
	// A child process of a program that called Use gets here with the pinned plugin: say what it is.
	for _, pin := range s.pins {
		if s.path(pin) == name && s.verify(pin) == nil {
			p = s.plugin(pin, SourceCache)
			p.config = v
			return p, nil
		}
	}
	p.Path, p.Name = name, filepath.Base(name)
	return p, nil
}

func bareConfig(path string) string {
	if upper := strings.ToUpper(path); strings.Contains(upper, "CUDA") || strings.Contains(upper, "NVIDIA") {
		return "xla:" + path // device memory is not the host's: nothing to share
	}
	return xlaConfig(path)
}

// isXLA reports whether name is one that go-xla registers itself under.
func isXLA(name string) bool {
	switch name {
	case "xla", "stablehlo", "shlo", "hlo", "pjrt":
		return true
	}
	return false
}

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Beam lives in a module of its own: neither the program, its tests nor the
// packages that notebook cells import link any of it.
func TestNothingHereLinksBeam(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-test", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "elastography/data/archive") {
		t.Fatal("go list does not list this module's packages")
	}
	for path := range strings.Lines(string(out)) {
		if strings.Contains(path, "apache/beam") || strings.HasPrefix(path, "elastography/beam") {
			t.Errorf("linked: %s", path)
		}
	}
}

package pjrt

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestGOMLXBackendIsObeyed(t *testing.T) {
	dir := t.TempDir()
	cpu, cuda := filepath.Join(dir, "my_cpu.so"), filepath.Join(dir, "my_cuda.so")
	write(t, cpu, "x", 0o644)
	write(t, cuda, "x", 0o644)
	for _, c := range []struct{ given, backend, path, name string }{
		{"xla:" + cpu, "xla:" + cpu, cpu, "my_cpu.so"},
		{"xla:" + cpu + ",noshared_buffers", "xla:" + cpu + ",noshared_buffers", cpu, "my_cpu.so"},
		{cpu, "xla:" + cpu + ",shared_buffers", cpu, "my_cpu.so"},
		{cuda, "xla:" + cuda, cuda, "my_cuda.so"},
		{"xla:cuda", "xla:cuda", "", "cuda"},
		{"go", "go", "", "go"},
	} {
		t.Setenv(envBackend, c.given)
		p, found, err := Find()
		if err != nil || !found {
			t.Errorf("%s: %v, %v", c.given, found, err)
			continue
		}
		if p.Backend() != c.backend || p.Path != c.path || p.Name != c.name || p.Source != SourceEnv {
			t.Errorf("%s gives %+v with backend %s", c.given, p, p.Backend())
		}
	}
}

func TestAWrongGOMLXBackendIsNamed(t *testing.T) {
	dir := t.TempDir()
	for _, given := range []string{"xla:" + dir + "/none.so", "xla:" + dir, "xla:some/plugin.so", dir + "/none.so"} {
		t.Setenv(envBackend, given)
		if _, found, err := Find(); found || err == nil || !strings.Contains(err.Error(), "GOMLX_BACKEND=") {
			t.Errorf("%s: %v, %v", given, found, err)
		}
	}
}

func TestAChildRecognisesThePinnedPluginThatItsParentChose(t *testing.T) {
	index(t, "first-cpu")
	s := fakeStore(t.TempDir())
	p, err := s.install(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	child, err := s.explicit(p.Backend())
	if err != nil || child.SHA256 != p.SHA256 || child.Source != SourceCache || child.Backend() != p.Backend() {
		t.Errorf("%+v, %v", child, err)
	}
}

func TestUseSelectsThePluginForThisProgramAndItsChildren(t *testing.T) {
	so := filepath.Join(t.TempDir(), "cpu.so")
	write(t, so, "x", 0o644)
	t.Setenv(envBackend, so)
	t.Setenv(envNoInstall, "")
	if _, err := Use(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv(envBackend); got != "xla:"+so+",shared_buffers" {
		t.Errorf("%s=%s", envBackend, got)
	}
	if os.Getenv(envNoInstall) != "1" {
		t.Error("go-xla's installer may still run")
	}
}

func TestTheCacheFolderFollowsSSWECache(t *testing.T) {
	t.Setenv(envCache, "/somewhere/else/")
	if dir, err := CacheDir(); err != nil || dir != "/somewhere/else" {
		t.Errorf("%s, %v", dir, err)
	}
	t.Setenv(envCache, "relative")
	if _, err := CacheDir(); err == nil || !strings.Contains(err.Error(), "absolute") {
		t.Errorf("relative: %v", err)
	}
	t.Setenv(envCache, "")
	if dir, err := CacheDir(); err == nil && filepath.Base(dir) != "sswe" {
		t.Errorf("default: %s", dir)
	}
}

func TestThePackageLinksNeitherXLANorGoMLX(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		if strings.Contains(dep, "gomlx") {
			t.Errorf("depends on %s", strings.TrimSpace(dep))
		}
	}
}

package kernel

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// No image is built here, so what the container files name must at least be there.
func TestTheContainerFilesNameWhatThereIs(t *testing.T) {
	docker, err := os.ReadFile("../.binder/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(mod)
	if version == nil || !strings.Contains(string(docker), "FROM golang:"+string(version[1])+"-") {
		t.Errorf("the image has another Go than go.mod: %s", version)
	}
	program, err := os.ReadFile("../main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`go run \. (\w+)`).FindAllStringSubmatch(string(docker), -1) {
		if !strings.Contains(strings.ToLower(string(program)), m[1]+"command") {
			t.Errorf("there is no command %s", m[1])
		}
	}
	if dev, err := os.ReadFile("../.devcontainer/devcontainer.json"); err != nil || !strings.Contains(string(dev), "../.binder/Dockerfile") {
		t.Errorf("the development container is another: %v", err)
	}
}

package notebooks_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/kernel"
	"elastography/kernel/ipynb"
)

// A cell's program ends as soon as it has shown its last picture, and a busy kernel may not have read it by then.
func TestWhatACellShowsLastIsNotLost(t *testing.T) {
	env, err := kernel.Setup(t.Context(), "..", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	const n = 12
	var cells []map[string]any
	for i := range n {
		cells = append(cells, map[string]any{"cell_type": "code", "id": fmt.Sprint("c", i), "metadata": map[string]any{}, "outputs": []any{}, "execution_count": nil,
			"source": "import (\n\t\"strings\"\n\n\t\"elastography/plots/show\"\n)\n\n%%\nshow.Note(strings.Repeat(\"as long as a picture \", 10_000))\nshow.Note(\"and the last word\")"})
	}
	nb, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "cells": cells,
		"metadata": map[string]any{"kernelspec": ipynb.Kernel{Name: kernel.Name, Display: kernel.DisplayName, Language: "go"}}})
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(t.TempDir(), "in.ipynb"), filepath.Join(t.TempDir(), "out.ipynb")
	if err := os.WriteFile(in, nb, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := env.RunNotebook(t.Context(), in, out, kernel.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	executed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"<p>as long as", "<p>and the last word"} {
		if got := strings.Count(string(executed), what); got != n {
			t.Errorf("%d of %d cells show %q", got, n, what)
		}
	}
}

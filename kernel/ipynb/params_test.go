package ipynb

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const declared = `%% // a special line of gonb
// How large the cohort is.
const preset = "smoke"

const (
	patients = 50 // to simulate
	epochs   = 3
)

var (
	seed     uint64  = 1
	gain             = -0.5
	quick            = true
	scaleMax float32 = 150
	planes   uint8   = 3
	derived          = patients * 2
)
`

func TestParametersReplaceValuesAndNothingElse(t *testing.T) {
	got, names, err := substitute(declared, map[string]string{
		"preset": `a "quoted" \ name`, "patients": "8", "seed": "18446744073709551615", "gain": "2", "quick": "false", "scaleMax": "180.5",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(`"smoke"`, `"a \"quoted\" \\ name"`, "50 //", "8 //", "= 1\n", "= 18446744073709551615\n",
		"-0.5", "2.0", "true", "false", "= 150", "= 180.5").Replace(declared)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if list := strings.Join(names, " "); list != "preset patients epochs seed gain quick scaleMax planes" {
		t.Errorf("parameters: %s", list)
	}
}

func TestIllTypedParametersAreRefused(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"patients", "many", "int; give a whole number"},
		{"patients", "2.5", "int; give a whole number"},
		{"patients", "", "int; give a whole number"},
		{"seed", "-1", "uint64; give a whole number from 0"},
		{"planes", "256", "uint8; give a whole number from 0"},
		{"gain", "loud", "float64; give a finite number"},
		{"gain", "NaN", "float64; give a finite number"},
		{"gain", "1e999", "float64; give a finite number"},
		{"scaleMax", "1e39", "float32; give a finite number"},
		{"quick", "perhaps", "bool; give true or false"},
	} {
		_, _, err := substitute(declared, map[string]string{c.name: c.value})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name+"="+c.value) {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
	}
}

// Whatever text is given, the cell stays Go that parses to the same parameters, and giving the text again changes nothing.
func TestAnyTextIsAStringParameter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		once, names, err := substitute(declared, map[string]string{"preset": value})
		if err != nil {
			t.Fatal(err)
		}
		twice, namesAgain, err := substitute(once, map[string]string{"preset": value})
		if err != nil || twice != once || len(names) != len(namesAgain) {
			t.Fatalf("%v: %q then %q", err, once, twice)
		}
	})
}

func TestOnlyTheTaggedCellTakesParameters(t *testing.T) {
	const text = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kept": true}, "cells": [
		{"cell_type": "markdown", "metadata": {"tags": ["parameters"]}, "source": "const patients = 1"},
		{"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": ["const patients = 2\n", "const gain = 1.5"], "outputs": []},
		{"cell_type": "code", "id": "b", "metadata": {}, "source": "const other = 3", "outputs": []}]}`
	nb, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := nb.SetParameters(map[string]string{"patients": "9"}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"const patients = 1", "const patients = 9\nconst gain = 1.5", "const other = 3"} {
		if got := nb.Source(i); got != want {
			t.Errorf("cell %d: %q", i+1, got)
		}
	}
	if data, err := nb.Bytes(); err != nil || !strings.Contains(string(data), `"kept":`) || !strings.Contains(string(data), `"id":"a"`) {
		t.Errorf("the rest is not kept: %s, %v", data, err)
	}
	err = nb.SetParameters(map[string]string{"other": "4"})
	if err == nil || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), "patients, gain") {
		t.Errorf("a name outside the tagged cell: %v", err)
	}
}

func TestANotebookWithoutParametersSaysSo(t *testing.T) {
	nb, err := Parse([]byte(`{"nbformat": 4, "cells": [{"cell_type": "code", "metadata": {}, "source": "const a = 1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := nb.SetParameters(map[string]string{"a": "2"}); err == nil || !strings.Contains(err.Error(), "takes none") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoNotebookIsRefused(t *testing.T) {
	for _, text := range []string{"", "PNG", "{}", "[]", `{"cells": 3}`, `{"nbformat": 3, "worksheets": []}`} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "not a notebook") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

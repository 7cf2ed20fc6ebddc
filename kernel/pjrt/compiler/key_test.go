package compiler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const program = `module @m {
  func.func @main(%weights: tensor<2xf32>, %_metrics_loss_uuid_33bd8bee_4a: tensor<2xf32>) -> tensor<2xf32> {
    %0 = "stablehlo.add"(%weights, %_metrics_loss_uuid_33bd8bee_4a) {note = "100%weights \" %0"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %1:2 = "stablehlo.f"(%0) : (tensor<2xf32>)
    "stablehlo.return"(%1#1, %0) : (tensor<2xf32>) -> ()
  }
}`

func TestNamesOfProgramsAndValuesMeanNothing(t *testing.T) {
	other := strings.NewReplacer("@m ", "@exec_7 ", "%weights:", "%w:", "(%weights,", "(%w,", "33bd8bee_4a", "f00dcafe_99", "%0 =", "%sum =", "(%0)", "(%sum)", ", %0)", ", %sum)").Replace(program)
	a, b := string(canonical([]byte(program))), string(canonical([]byte(other)))
	if a != b {
		t.Errorf("renaming changes\n%s\ninto\n%s", a, b)
	}
	for _, want := range []string{`@main(%0: tensor`, `"100%weights \" %0"`, `%2 = "stablehlo.add"(%0, %1)`, `%3:2 =`, `(%3#1, %2)`} {
		if !strings.Contains(a, want) {
			t.Errorf("%s is not in\n%s", want, a)
		}
	}
}

func TestWhichValueIsUsedWhereIsKept(t *testing.T) {
	for _, change := range [][2]string{{"(%weights, %_m", "(%_m, %_m"}, {"%1#1", "%1#0"}, {"add", "subtract"}, {`100%weights`, `100%bias`}, {"%1#1, %0", "%0, %1#1"}, {"2xf32", "3xf32"}} {
		other := strings.Replace(program, change[0], change[1], 1)
		if other == program {
			t.Fatalf("%q does not occur", change[0])
		}
		if string(canonical([]byte(other))) == string(canonical([]byte(program))) {
			t.Errorf("%q for %q is another program", change[1], change[0])
		}
	}
}

func TestCanonicalFormIsStableForAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(`%%ab1_."\ #(`))).Draw(t, "text")
		once := canonical([]byte(text))
		if again := canonical(once); string(again) != string(once) {
			t.Fatalf("%q becomes %q, then %q", text, once, again)
		}
	})
}

func TestBinaryProgramsAreLeftAlone(t *testing.T) {
	if got := canonical([]byte("ML\xefR%a")); string(got) != "ML\xefR%a" {
		t.Errorf("%q", got)
	}
}

// A program is found again only where all is equal that decides what the plugin makes of it.
func TestTheKeyHoldsWhatDecidesTheCode(t *testing.T) {
	type given struct{ format, program, options, platform, devices, flags, identity, machine string }
	keyFor := func(g given) key {
		c := &cache{identity: g.identity, machine: g.machine, flags: func() string { return g.flags }}
		return c.key([]byte(g.format), []byte(g.program), []byte(g.options), []byte(g.platform), []byte(g.devices))
	}
	base := given{"mlir", program, "options", "cpu 1", "4", "XLA_FLAGS=--a", "ad13", "AVX2"}
	seen := map[key]string{keyFor(base): "base"}
	for name, change := range map[string]func(*given){
		"format":                  func(g *given) { g.format = "hlo" },
		"program":                 func(g *given) { g.program += " " },
		"compile options":         func(g *given) { g.options += "x" },
		"platform version":        func(g *given) { g.platform = "cpu 2" },
		"number of devices":       func(g *given) { g.devices = "1" },
		"XLA_FLAGS":               func(g *given) { g.flags = "" },
		"plugin":                  func(g *given) { g.identity = "0a0f" },
		"processor":               func(g *given) { g.machine = "AVX2 AVX512" },
		"border of two parts":     func(g *given) { g.options, g.platform = "optionscpu", " 1" },
		"border of flags and id.": func(g *given) { g.flags, g.identity = "XLA_FLAGS=--aad", "13" },
	} {
		g := base
		change(&g)
		if other, found := seen[keyFor(g)]; found {
			t.Errorf("another %s has the key of %s", name, other)
		}
		seen[keyFor(g)] = name
	}
	if keyFor(base) != keyFor(base) {
		t.Error("the same twice gives two keys")
	}
}

func TestFlagsHoldXLAsEnvironmentAndTheFileThatItNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags")
	if err := os.WriteFile(file, []byte("--xla_a=1"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XLA_FLAGS", file)
	t.Setenv("NPROC", "1")
	t.Setenv("UNRELATED", "secret")
	got := flags()
	if !strings.Contains(got, "--xla_a=1") || !strings.Contains(got, "NPROC=1") || strings.Contains(got, "secret") {
		t.Errorf("%q", got)
	}
}

func TestTheMachineIsItsProcessorNotItsClock(t *testing.T) {
	describe := func(text string) string {
		file := filepath.Join(t.TempDir(), "cpuinfo")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return processor(file)
	}
	const one = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: EPYC\ncpu MHz\t\t: 2400.000\nflags\t\t: fma avx avx2\n\nprocessor\t: 1\nflags\t\t: none\n"
	base := describe(one)
	if !strings.Contains(base, "fma avx avx2") || strings.Contains(base, "none") {
		t.Errorf("%q", base)
	}
	if describe(strings.Replace(one, "2400", "3100", 1)) != base {
		t.Error("the clock changes the machine")
	}
	if describe(strings.Replace(one, "avx2", "avx2 avx512f", 1)) == base || describe(strings.Replace(one, "EPYC", "Xeon", 1)) == base {
		t.Error("another processor is the same machine")
	}
	if machine() == "" {
		t.Error("no machine")
	}
}

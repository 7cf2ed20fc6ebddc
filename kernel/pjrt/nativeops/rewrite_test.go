package nativeops

import (
	"strings"
	"testing"
)

// small is a program as GoMLX prints one: a convolution, a rectified normalisation, and both gradients.
const small = `module @small {
  func.func @main(%arg0: tensor<1x4x6x2xf32>, %k: tensor<3x3x2x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<1x4x6x8xf32>, tensor<8xf32>) {
    %0 = "stablehlo.convolution"(%arg0, %k) {
      batch_group_count = 1 : i64,
      dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>,
      feature_group_count = 1 : i64,
      lhs_dilation = array<i64: 1, 1>,
      padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>,
      precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>],
      rhs_dilation = array<i64: 1, 1>,
      window_reversal = array<i1: false, false>,
      window_strides = array<i64: 1, 1>
    } : (tensor<1x4x6x2xf32>, tensor<3x3x2x8xf32>) -> tensor<1x4x6x8xf32>
    %1, %2, %3 = "stablehlo.batch_norm_training"(%0, %g, %b) {
      epsilon = 0.001 : f32,
      feature_index = 3 : i64
    } : (tensor<1x4x6x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<1x4x6x8xf32>, tensor<8xf32>, tensor<8xf32>)
    %4 = "stablehlo.constant"() { value = dense<0.0> : tensor<f32> } : () -> tensor<f32>
    %5 = "stablehlo.broadcast_in_dim"(%4) { broadcast_dimensions = array<i64> } : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %6 = "stablehlo.compare"(%1, %5) {
      compare_type = #stablehlo<comparison_type FLOAT>,
      comparison_direction = #stablehlo<comparison_direction GT>
    } : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %7 = "stablehlo.constant"() { value = dense<0.1> : tensor<f32> } : () -> tensor<f32>
    %8 = "stablehlo.broadcast_in_dim"(%7) { broadcast_dimensions = array<i64> } : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %9 = "stablehlo.multiply"(%1, %8) : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32>
    %10 = "stablehlo.select"(%6, %1, %9) : (tensor<1x4x6x8xi1>, tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32>
    "stablehlo.return"(%10, %2) : (tensor<1x4x6x8xf32>, tensor<8xf32>) -> ()
  }
}
`

func TestWhatIsReplacedDependsOnWhatElseAsksForIt(t *testing.T) {
	text, n := Rewrite(small)
	if n != 2 || strings.Contains(text, "stablehlo.select") || !strings.Contains(text, "%10, %2, %3 = ") || !strings.Contains(text, "slope = 0.1 : f32") {
		t.Errorf("%d calls, the rectifier goes with the normalisation:\n%s", n, text)
	}
	// Where the value before the rectifier is a result, too, the rectifier stays.
	asked := strings.Replace(small, `return"(%10, %2) : (tensor<1x4x6x8xf32>`, `return"(%10, %1, %2) : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>`, 1)
	if text, n = Rewrite(asked); n != 2 || !strings.Contains(text, "stablehlo.select") || !strings.Contains(text, "slope = 1.0 : f32") {
		t.Errorf("%d calls, the rectifier must stay:\n%s", n, text)
	}
}

func TestWhatIsNotUnderstoodStaysAsItIs(t *testing.T) {
	for what, change := range map[string][2]string{
		"several devices":        {"module @small {", "module @small {\n  sdy.mesh @mesh = <[\"x\"=2]>"},
		"another function":       {"  func.func @main(", "  func.func @other() -> () {\n  }\n  func.func @main("},
		"strides":                {"window_strides = array<i64: 1, 1>", "window_strides = array<i64: 2, 2>"},
		"no zeros outside":       {"dense<[[1, 1], [1, 1]]>", "dense<[[0, 0], [0, 0]]>"},
		"groups":                 {"feature_group_count = 1 : i64", "feature_group_count = 2 : i64"},
		"another number type":    {"tensor<3x3x2x8xf32>", "tensor<3x3x2x8xbf16>"},
		"something unknown":      {"    %4 = ", "    %4 : "},
		"a value defined twice":  {"    %4 = ", "    %1 = "},
		"a program without end":  {`    "stablehlo.return"(`, `    "stablehlo.after"(`},
		"channels in front":      {"[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]", "[b, f, 0, 1]x[0, 1, i, o]->[b, f, 0, 1]"},
		"a kernel of even size":  {"tensor<3x3x2x8xf32>", "tensor<2x2x2x8xf32>"},
		"no convolution at all":  {"stablehlo.convolution", "stablehlo.convolve"},
		"a dilated convolution":  {"rhs_dilation = array<i64: 1, 1>", "rhs_dilation = array<i64: 2, 2>"},
		"a normalised row":       {"feature_index = 3 : i64", "feature_index = 1 : i64"},
		"a slope that is a bits": {"dense<0.1>", "dense<0x7fc00000>"},
	} {
		text := strings.ReplaceAll(small, change[0], change[1])
		if text == small {
			t.Fatalf("%s: nothing was changed", what)
		}
		got, n := Rewrite(text)
		if n == 0 && got != text {
			t.Errorf("%s: changed without a call", what)
		}
		if what == "a normalised row" || what == "a slope that is a bits" {
			if n > 2 || strings.Contains(got, "slope = 0x") {
				t.Errorf("%s: %d calls", what, n)
			}
			continue
		}
		if strings.Contains(got, "sswe.convolution") {
			t.Errorf("%s: the convolution was replaced:\n%s", what, got)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add(small)
	f.Add(strings.ReplaceAll(small, "(", "(("))
	f.Add(strings.ReplaceAll(small, "1x4x6x8", "0x4x6x8"))
	f.Fuzz(func(t *testing.T, text string) {
		if got, n := Rewrite(text); n == 0 && got != text {
			t.Error("changed without a call")
		}
	})
}

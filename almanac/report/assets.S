// Puts files into the program's read-only data. The paths are relative to the checkout, which is on
// the include path; CMakeLists.txt names the same files as dependencies of this one.
        .macro  asset name, path
        .global kAlmanacReport\name
        .global kAlmanacReport\name\()End
kAlmanacReport\name:
        .incbin "\path"
kAlmanacReport\name\()End:
        .byte   0
        .endm

        .section .rodata
        asset Style,  "almanac/report/assets/report.css"
        asset Script, "almanac/report/assets/report.js"
        asset Charts, "third_party/npm/lightweight-charts/dist/lightweight-charts.standalone.production.js"

        .section .note.GNU-stack, "", %progbits

// Puts files into the program's read-only data. The paths are relative to the checkout, which is on
// the include path; CMakeLists.txt names the same files as dependencies of this one.
        .macro  asset name, path
        .global almanac_report_\name
        .global almanac_report_\name\()_end
almanac_report_\name:
        .incbin "\path"
almanac_report_\name\()_end:
        .byte   0
        .endm

        .section .rodata
        asset style,  "almanac/report/assets/report.css"
        asset script, "almanac/report/assets/report.js"
        asset charts, "third_party/npm/lightweight-charts/dist/lightweight-charts.standalone.production.js"

        .section .note.GNU-stack, "", %progbits

# Writes a C file that holds text files as strings: cmake -DOUT=f.c -DNAME=table -DHEADER=h
# -DFILES="a|b" -P embed.cmake. The table is `const struct <NAME> <NAME>_files[]`: name, text.
set(body "/* generated */\n#include \"${HEADER}\"\n\n")
set(rows "")
set(n 0)
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
    string(REGEX REPLACE "(0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., 0x.., )"
        "\\1\n    " bytes "${bytes}")
    string(APPEND body "static const unsigned char text_${n}[] = {\n    ${bytes}0x00};\n\n")
    string(APPEND rows "    {\"${name}\", (const char *)text_${n}},\n")
    math(EXPR n "${n} + 1")
endforeach()
string(APPEND body "const struct ${NAME} ${NAME}_files[] = {\n${rows}};\n"
    "const size_t ${NAME}_n_file = ${n};\n")
file(WRITE ${OUT} "${body}")

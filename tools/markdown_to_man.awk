# The Markdown of docs/ as man(7), for tools/manual_pages: headings, paragraphs, fences, lists, tables, links.
# Variables: options=skip leaves out tables of options, which the page has from the program itself.

# Plain text: no escapes of roff's, no line that begins like a request.
function escape(text) {
    gsub(/\\/, "\\e", text)
    return text
}

# "[text](address)" as text, with the address where it is none of the manual's own pages; "![…](…)" as nothing.
function without_links(text,    before, link, label, address) {
    while (match(text, /!?\[[^]]*\]\([^)]*\)/)) {
        before = substr(text, 1, RSTART - 1)
        link = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        address = label = link
        sub(/^!?\[[^]]*\]\(/, "", address)
        sub(/\)$/, "", address)
        sub(/^!?\[/, "", label)
        sub(/\]\([^)]*\)$/, "", label)
        if (link ~ /^!/)
            label = ""
        else if (address ~ /^https?:/ && label != address)
            label = label " (" address ")"
        text = before label text
    }
    return text
}

# *What is stressed* in italics.
function stressed(text,    result) {
    result = ""
    while (match(text, /\*[^* ][^*]*\*/)) {
        result = result substr(text, 1, RSTART - 1) "\\fI" substr(text, RSTART + 1, RLENGTH - 2) "\\fP"
        text = substr(text, RSTART + RLENGTH)
    }
    return result text
}

# Code between backticks and **what is bold** in bold.
function inline(text,    parts, n, i, pieces, m, k, result) {
    text = escape(without_links(text))
    n = split(text, parts, "`")
    result = ""
    for (i = 1; i <= n; i++) {
        if (i % 2 == 0) {
            gsub(/-/, "\\-", parts[i])
            result = result "\\fB" parts[i] "\\fP"
            continue
        }
        m = split(parts[i], pieces, /\*\*/)
        for (k = 1; k <= m; k++)
            result = result (k % 2 ? stressed(pieces[k]) : "\\fB" pieces[k] "\\fP")
    }
    sub(/^[ \t]+/, "", result)
    sub(/[ \t]+$/, "", result)
    if (result ~ /^[.']/)
        result = "\\&" result
    return result
}

# What stands between blank lines; lines of one paragraph follow each other as they are.
function paragraph(text) {
    text = inline(text)
    if (text == "")
        return
    if (!in_paragraph && !after_heading)
        print ".PP"
    print text
    in_paragraph = 1
    after_heading = 0
}

function heading(text, macro) {
    text = inline(text)
    print macro " " (macro == ".SH" ? toupper(text) : text)
    in_paragraph = 0
    after_heading = 1
}

function cells(line, into,    n, i) {
    gsub(/\\\|/, "\001", line)
    sub(/^[ \t]*\|/, "", line)
    sub(/\|[ \t]*$/, "", line)
    n = split(line, into, "|")
    for (i = 1; i <= n; i++) {
        gsub(/\001/, "|", into[i])
        into[i] = inline(into[i])
    }
    return n
}

# A row is a tagged paragraph: the first cell, then the others, from the third on with their column's name.
function row(line,    n, i, text) {
    n = cells(line, cell)
    text = cell[2]
    for (i = 3; i <= n; i++)
        if (cell[i] != "")
            text = text (text == "" ? "" : "; ") (column[i] == "" ? "" : column[i] ": ") cell[i]
    print ".TP"
    print (cell[1] == "" ? "\\&" : cell[1])
    print (text == "" ? "\\&" : text)
    in_paragraph = after_heading = 0
}

/^```/ {
    if (fence) {
        print ".fi"
        print ".RE"
    } else {
        if (!after_heading)
            print ".PP"
        print ".RS 4"
        print ".nf"
    }
    fence = !fence
    in_paragraph = after_heading = 0
    next
}
fence {
    line = escape($0)
    gsub(/-/, "\\-", line)
    print (line ~ /^[.']/ ? "\\&" : "") (line == "" ? "\\&" : line)
    next
}
/^# / { next }
/^## / { heading(substr($0, 4), ".SH"); next }
/^###+ / { sub(/^#+ /, ""); heading($0, ".SS"); next }
/^\|/ {
    if (!table) {
        table = 1
        n_columns = cells($0, column)
        skipped = options == "skip" && column[1] == "option"
    } else if (!skipped && $0 !~ /^\|[-| :]*$/) {
        row($0)
    }
    next
}
{ table = 0 }
/^[-*] / { print ".IP \\(bu 2"; print inline(substr($0, 3)); in_paragraph = 1; after_heading = 0; next }
/^[0-9]+\. / {
    number = $1
    sub(/^[0-9]+\. /, "")
    print ".IP " number " 4"
    print inline($0)
    in_paragraph = 1
    after_heading = 0
    next
}
/^[ \t]*$/ { in_paragraph = 0; next }
{ paragraph($0) }
